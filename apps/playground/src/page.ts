/** The playground's page. */
import { dtypes } from '@harmaug/guard';
import { keepPage } from './guard/offline.ts';
import { readPicked } from './guard/picked.ts';
import { type Place, readPlace } from './guard/place.ts';
import { narrowPolicy } from './guard/policy.ts';
import { AskPart } from './parts/ask.ts';
import { FilePart } from './parts/file.ts';
import { GuardPart } from './parts/guard.ts';
import { WordsPart } from './parts/words.ts';
import { readSite } from './site.ts';
import { byId, showMessage } from './views/dom.ts';

/** Of a guard elsewhere it is not known before which models there are. */
const unknownModels = dtypes.map((dtype) => ({ dtype, bytes: null }));

const guard = new GuardPart();
const words = new WordsPart(guard);
const ask = new AskPart(guard, words);
const file = new FilePart(guard, ask);
guard.onReady = () => {
  ask.onGuard();
  file.onGuard();
};
ask.onThreshold = () => file.draw();

byId<HTMLInputElement>('folder').addEventListener('change', ({ target }) => {
  const { files } = target as HTMLInputElement;
  if (files === null || files.length === 0) return;
  try {
    const picked = readPicked([...files]);
    void guard.use({ name: picked.name, from: picked.files, models: picked.models });
  } catch (error) {
    showMessage(byId('guard-error'), (error as Error).message);
  }
});

await start();

async function start(): Promise<void> {
  let place: Place;
  try {
    place = readPlace(location.search);
  } catch (error) {
    narrowPolicy({ kind: 'own' });
    guard.fail(error as Error);
    return;
  }
  narrowPolicy(place);
  const isKept = await keepPage();
  try {
    if (place.kind === 'own') {
      const { name, models } = await readSite();
      await guard.use({ name, from: './guard', models });
    } else {
      const name = place.kind === 'hub' ? place.id : place.url;
      byId<HTMLInputElement>('address').value = name;
      await guard.use({ name, from: name, models: unknownModels });
    }
  } catch (error) {
    guard.fail(error as Error);
  }
  byId('offline').textContent =
    isKept && guard.current !== null
      ? 'Kept in this browser: the page works without a network from now on.'
      : 'Without a network this page does not load: this browser keeps nothing of it.';
}
