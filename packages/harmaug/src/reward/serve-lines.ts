/** Rewards for a loop in another program: a line in, a line out, as many at once as are waiting. */
import type { Scorer } from '../scoring/scorer.ts';
import { MAX_LINE_CHARACTERS, readRequestLine } from './request-line.ts';
import { type Reward, type RewardRequest, rewards } from './reward.ts';

export interface LineCounts {
  readonly lines: number;
  /** Texts that were scored. */
  readonly texts: number;
  readonly errors: number;
  /** Time in which texts were scored, in milliseconds. */
  readonly scoringMs: number;
}

const MOST_AT_ONCE = 4096; // lines; more wait

/**
 * Answers every line, in order: `{"id", "reward", "scores", "isTruncated", "reason"?}`, or `{"id", "error"}` for one that
 * is no request. Lines that come while others are scored are taken together.
 */
export async function serveLines(
  scorer: Scorer,
  chunks: AsyncIterable<string>,
  write: (line: string) => void,
  signal?: AbortSignal,
): Promise<LineCounts> {
  const waiting: string[] = [];
  let hasEnded = false;
  let failure: unknown;
  let wake = () => {};
  let drain = () => {};
  const reading = (async () => {
    for await (const line of linesOf(chunks)) {
      waiting.push(line);
      wake();
      if (waiting.length >= MOST_AT_ONCE) {
        await new Promise<void>((resolve) => {
          drain = resolve;
        });
      }
    }
  })()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      hasEnded = true;
      wake();
    });
  const counts = { lines: 0, texts: 0, errors: 0, scoringMs: 0 };
  for (;;) {
    signal?.throwIfAborted();
    if (waiting.length === 0) {
      if (hasEnded) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
      continue;
    }
    const lines = waiting.splice(0);
    drain();
    const answers = await answer(scorer, lines, counts, signal);
    for (const one of answers) write(`${JSON.stringify(one)}\n`);
  }
  await reading;
  if (failure !== undefined) throw failure;
  return counts;
}

type Answer = Reward | { readonly id: string; readonly error: string };

async function answer(
  scorer: Scorer,
  lines: readonly string[],
  counts: { lines: number; texts: number; errors: number; scoringMs: number },
  signal?: AbortSignal,
): Promise<Answer[]> {
  const parsed = lines.map((line): RewardRequest | { id: string; error: string } | null => {
    counts.lines += 1;
    if (line.trim() === '') return null;
    try {
      return readRequestLine(line, counts.lines);
    } catch (error) {
      counts.errors += 1;
      return { id: `line ${counts.lines}`, error: (error as Error).message };
    }
  });
  const requests = parsed.filter((one): one is RewardRequest => one !== null && !('error' in one));
  const start = performance.now();
  const found = await rewards(scorer, requests, signal ? { signal } : {});
  counts.scoringMs += performance.now() - start;
  counts.texts += found.reduce((sum, { scores }) => sum + scores.length, 0);
  let next = 0;
  return parsed.flatMap((one): Answer[] => (one === null ? [] : 'error' in one ? [one] : [found[next++]!]));
}

/** Lines without their ends. One that is too long is cut behind the limit, which its reader then refuses. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = chunk.split('\n');
    for (const part of parts.slice(0, -1)) {
      yield `${rest}${part}`.slice(0, MAX_LINE_CHARACTERS + 1).replace(/\r$/, '');
      rest = '';
    }
    if (rest.length <= MAX_LINE_CHARACTERS) rest += parts.at(-1)!;
  }
  if (rest !== '') yield rest;
}
