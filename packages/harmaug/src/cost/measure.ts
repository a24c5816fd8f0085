/** How fast something judges: one text after the other, and as many as it takes at once. */
import type { Row } from '../data/row.ts';

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** A guard or a teacher, told apart by nothing else here. */
export interface Judging {
  /** @returns what the calls took, where that is known */
  judge(rows: readonly Row[]): Promise<Usage | null>;
}

export interface Speed {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly textsPerSecond: number;
  /** Of one text, template included, where the model says so. */
  readonly usage: Usage | null;
  /** Texts judged one by one. */
  readonly runs: number;
}

const WARM_UPS = 3;
const LEAST_RUNS = 3;
const MOST_RUNS = 500;

/**
 * Half the time goes to texts one by one, half to all of them together.
 * @param rows at least one; they come again when they have all been judged
 * @param seconds about as long; slow models take longer
 */
export async function measureSpeed(judging: Judging, rows: readonly Row[], seconds: number): Promise<Speed> {
  const rowAt = (index: number) => rows[index % rows.length]!;
  let used = 0;
  const startMs = performance.now();
  for (; used < WARM_UPS && performance.now() - startMs < (seconds * 1000) / 4; used++)
    await judging.judge([rowAt(used)]);
  const times: number[] = [];
  const singlesMs = performance.now();
  while (times.length < LEAST_RUNS || (times.length < MOST_RUNS && performance.now() - singlesMs < seconds * 500)) {
    const fromMs = performance.now();
    await judging.judge([rowAt(used++)]);
    times.push(performance.now() - fromMs);
  }
  let texts = 0;
  let usage: Usage | null = null; // of every row once, so that it does not depend on how many there was time for
  const togetherMs = performance.now();
  do {
    usage = await judging.judge(rows);
    texts += rows.length;
  } while (performance.now() - togetherMs < seconds * 500);
  const textsPerSecond = texts / ((performance.now() - togetherMs) / 1000);
  const sorted = times.sort((a, b) => a - b);
  return {
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    textsPerSecond,
    usage: usage && {
      promptTokens: usage.promptTokens / rows.length,
      completionTokens: usage.completionTokens / rows.length,
    },
    runs: sorted.length,
  };
}

/** Nearest rank. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}
