/** A whole run whose process is killed again and again, beside one that nothing disturbs. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';
import { seedOf } from '../../src/ledger/key.node.ts';
import { currentPairs } from '../../src/ledger/sets.node.ts';
import { judgesOf, verdictKey } from '../../src/stages/judging.node.ts';
import { readPipeline } from '../../src/stages/pipeline.node.ts';
import { failing } from '../loopback/faults.ts';
import { startWriters, type Writers } from '../loopback/writers.ts';
import {
  callsOf,
  harmaug,
  mildRecipe,
  type RunRows,
  reading,
  rowsOf,
  stages,
  startHarmaug,
  type Workplace,
} from './harness.node.ts';

export interface KillOptions {
  readonly workplace: Workplace;
  /** Instructions a category, of two. */
  readonly count: number;
  readonly kills: number;
  /** Most answers before the next kill. */
  readonly between: number;
  /** Of calls that fail. */
  readonly faultShare: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

export interface KillReport {
  readonly disturbed: RunRows;
  readonly undisturbed: RunRows;
  readonly kills: number;
  /** Recorded calls that were asked for again. */
  readonly repeated: number;
  readonly recorded: number;
  /** Calls that were answered and lost by a kill, so made twice. */
  readonly lost: number;
}

export async function runWithKills({
  workplace,
  count,
  kills,
  between,
  faultShare,
  seed,
  say,
}: KillOptions): Promise<KillReport> {
  const uniform = mulberry32(seed);
  const calm = await startWriters();
  const rough = await startWriters({ fault: failing(faultShare, seed), delayMs: () => 20 * uniform() });
  try {
    const run = workplace.at('disturbed');
    const recipe = workplace.recipe('rough.yaml', mildRecipe(rough.url, count));
    let [done, repeated] = [0, 0];
    const known = new Set<string>();
    for (const [index, stage] of stages.entries()) {
      for (;;) {
        const from = rough.requests.length;
        const isLast = index === stages.length - 1;
        const left = kills - done;
        const share = isLast ? left : Math.ceil((kills * (index + 1)) / stages.length) - done;
        const ended = await runOnce([stage, recipe, '--out', run], rough, share > 0 ? { uniform, between } : null);
        if (ended.wasKilled) done += 1;
        for (const body of rough.requests.slice(from)) if (known.has(nameOf(body))) repeated += 1;
        for (const name of await recordedCalls(run, recipe)) known.add(name);
        say?.(
          `${stage}: ${ended.wasKilled ? `killed (${done})` : `ended with ${ended.exitCode}`}, ${known.size} calls recorded`,
        );
        if (!ended.wasKilled && ended.exitCode === 0) break;
        if (!ended.wasKilled && !/failed, the last one so|same command/.test(ended.text)) throw new Error(ended.text);
      }
    }
    const undisturbed = workplace.at('undisturbed');
    const calmRecipe = workplace.recipe(
      'calm.yaml',
      mildRecipe(calm.url, count, { concurrency: 3, timeoutSeconds: 10 }),
    );
    for (const stage of stages) {
      const { exitCode, stderr } = await harmaug(stage, calmRecipe, '--out', undisturbed);
      if (exitCode !== 0) throw new Error(stderr);
    }
    const recorded = callsOf(run).length;
    const answered = rough.answeredBodies.filter((body) => !isProbe(body)).length;
    const lost = answered - callsOf(run).filter(({ stage }) => stage !== 'probe').length;
    return { disturbed: rowsOf(run), undisturbed: rowsOf(undisturbed), kills: done, repeated, recorded, lost };
  } finally {
    await calm.close();
    await rough.close();
  }
}

/** @param killer kills after a random number of answers; `null`: lets it end by itself */
async function runOnce(
  argv: readonly string[],
  server: Writers,
  killer: { readonly uniform: () => number; readonly between: number } | null,
) {
  const { ended, kill } = startHarmaug(argv);
  const from = server.answeredBodies.length;
  const after = killer === null ? Number.POSITIVE_INFINITY : 1 + Math.floor(killer.uniform() * killer.between);
  let wasKilled = false;
  const timer = setInterval(() => {
    if (server.answeredBodies.length - from < after) return;
    clearInterval(timer);
    setTimeout(
      () => {
        wasKilled = kill();
      },
      40 * (killer?.uniform() ?? 0),
    ); // so that the last answers are recorded, or not
  }, 2);
  const { exitCode, signal, stdout, stderr } = await ended;
  clearInterval(timer);
  return { exitCode, wasKilled: wasKilled && signal === 'SIGKILL', text: stdout + stderr };
}

type Json = Record<string, unknown>;

const contents = (body: Json) => (body.messages as { content: string }[]).map(({ content }) => content);
const isProbe = (body: Json) => body.model !== 'guard' && body.seed === undefined;

/** What a request asks, so that it can be told whether it was recorded: by its seed, which comes from its key, or its texts. */
function nameOf(body: Json): string {
  return body.model === 'guard' ? JSON.stringify(contents(body)) : String(body.seed);
}

async function recordedCalls(run: string, recipe: string): Promise<string[]> {
  if (!existsSync(path.join(run, 'ledger.sqlite'))) return [];
  const pipeline = await readPipeline(recipe);
  const [judging] = (await judgesOf(pipeline)).teachers;
  const calls = callsOf(run);
  const labelled = new Set(calls.filter(({ stage }) => stage === 'label').map(({ key }) => String(key)));
  const written = calls.filter(({ stage }) => stage === 'generate' || stage === 'respond');
  const judged = reading(run, (ledger) => {
    const rows = [...currentPairs(ledger)].filter((row) => labelled.has(verdictKey(row, judging!)));
    return rows.map(({ prompt, response }) => JSON.stringify(response === null ? [prompt] : [prompt, response]));
  });
  return [...written.map(({ key }) => String(seedOf(String(key)))), ...judged];
}
