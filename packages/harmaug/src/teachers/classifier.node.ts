/** A classifier as a teacher: a Hugging Face folder such as HarmAug-Guard's, or an ONNX file, on our engine. */
import type { Score, Scorer } from '../scoring/scorer.ts';
import type { Judged } from './family.ts';
import type { Teacher } from './teacher.ts';
import { abstain, NO_USAGE, type Verdict } from './verdict.ts';

const MOST_AT_ONCE = 64;

interface Waiting {
  readonly judged: Judged;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls that come at once are computed together. A text that was cut gets no verdict: what it hides was not read. */
export function createClassifierTeacher(scorer: Scorer<Score>): Teacher {
  const waiting: Waiting[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    await new Promise((resolve) => setImmediate(resolve)); // until the calls of this moment are all in
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MOST_AT_ONCE);
      try {
        const scores = await scorer.score(batch.map(({ judged }) => judged));
        for (const [index, found] of scores.entries()) batch[index]!.resolve(verdictOfScore(found));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  }

  return {
    name: scorer.name,
    about: describe(scorer),
    concurrency: MOST_AT_ONCE,
    judge(judged, signal) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        waiting.push({ judged, resolve, reject });
        if (!isRunning) void run();
      });
    },
    dispose: () => scorer.dispose(),
  };
}

function verdictOfScore({ score, margin, isTruncated }: Score): Verdict {
  if (isTruncated) return abstain('text too long');
  const logOdds = margin ?? Math.log(score) - Math.log1p(-score);
  return { kind: 'scored', score, logOdds, category: null, usage: NO_USAGE };
}

function describe({ about }: Scorer): Record<string, string | number> {
  const known = Object.entries(about).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return { teacher: 'classifier', ...Object.fromEntries(known) };
}
