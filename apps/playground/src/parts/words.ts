/** Which words moved the score: found after every check where that is quick, else when it is asked for. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { explain, partsOf } from '../explain/attribution.ts';
import { type Passage, passagesOf, requestOf } from '../explain/passage.ts';
import { announce, byId, formatCount } from '../views/dom.ts';
import { WordsView } from '../views/words.ts';
import type { GuardPart } from './guard.ts';

const MOST_CHARACTERS = 1500; // of a passage that is explained without being asked

export class WordsPart {
  readonly #guard: GuardPart;
  #running = new AbortController();
  #passages: readonly Passage[] = [];

  constructor(guard: GuardPart) {
    this.#guard = guard;
    byId('words-run').addEventListener('click', () => {
      byId('words-stop').hidden = false;
      byId('words-stop').focus();
      void this.#explain();
    });
    byId('words-stop').addEventListener('click', () => this.#running.abort());
  }

  clear(): void {
    this.#running.abort();
    byId('words').hidden = true;
  }

  show(request: GuardRequest, answer: GuardAnswer): void {
    this.#passages = passagesOf(request, answer);
    if (this.#passages.every(({ text }) => text.trim() === '')) return;
    const length = this.#passages.reduce((sum, { text }) => sum + text.length, 0);
    const hasOutside = this.#passages.some(({ before, after }) => before !== '' || after !== '');
    document.querySelector<HTMLElement>('.key.outside')!.hidden = !hasOutside;
    if (length <= MOST_CHARACTERS) void this.#explain();
    else {
      new WordsView(this.#passages, []).stop();
      byId('words-state').textContent = '';
      this.#showButtons({ isRunning: false, canRun: true });
    }
  }

  async #explain(): Promise<void> {
    const guard = this.#guard.current;
    if (guard === null) return;
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const request = requestOf(this.#passages);
    const parts = partsOf(request);
    const view = new WordsView(this.#passages, parts);
    const state = byId('words-state');
    const hadFocus = document.activeElement === byId('words-stop');
    this.#showButtons({ isRunning: true, canRun: false });
    let done = 0;
    let outcome = '';
    try {
      state.textContent = `0 of ${parts.length}`;
      for await (const effects of explain(guard, request, { signal })) {
        if (signal.aborted) break;
        view.add(effects);
        done += effects.length;
        state.textContent = `${formatCount(done)} of ${formatCount(parts.length)}`;
      }
    } catch (error) {
      if (!signal.aborted && this.#guard.current === guard) outcome = (error as Error).message;
    }
    if (this.#running.signal !== signal) return; // another text is being explained
    view.stop();
    const isWhole = done === parts.length;
    state.textContent = outcome || (isWhole ? `${formatCount(done)} checks` : `stopped after ${formatCount(done)}`);
    this.#showButtons({ isRunning: false, canRun: !isWhole });
    if (hadFocus) byId(isWhole ? 'passages' : 'words-run').focus();
    if (isWhole && hadFocus) announce('The words are explained.');
  }

  #showButtons({ isRunning, canRun }: { isRunning: boolean; canRun: boolean }): void {
    byId('words-stop').hidden = !isRunning;
    byId('words-run').hidden = !canRun;
  }
}
