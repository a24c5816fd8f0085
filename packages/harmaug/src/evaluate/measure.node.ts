/** A scorer on a set: its scores, and the figures they come to. */
import { hashPrompt } from '../data/prompt-hashes.node.ts';
import type { NoScore, Score, Scorer } from '../scoring/scorer.ts';
import type { BootstrapOptions } from './bootstrap.ts';
import { type Evaluation, type EvaluationSet, evaluate } from './evaluate.ts';
import type { ScoredRow } from './scores-file.node.ts';

export interface MeasureOptions extends BootstrapOptions {
  /** Default: the scorer's own. */
  readonly threshold?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
  /** All rows have scores; resampling begins. */
  readonly onScored?: () => void;
}

export interface Measured {
  readonly evaluation: Evaluation;
  /** As files of scores have them: one for each row that was judged. */
  readonly scored: readonly ScoredRow[];
}

/** Rows that get no verdict are left out and counted by reason, as those left out in reading are. */
export async function measure(scorer: Scorer, whole: EvaluationSet, options: MeasureOptions = {}): Promise<Measured> {
  const { threshold = scorer.threshold, signal, onProgress, onScored, ...bootstrap } = options;
  const found = await scorer.score(whole.rows, {
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  onScored?.();
  const { set, scores } = withoutUnjudged(whole, found);
  const seen = scorer.seenPrompts;
  const seenInTraining = seen ? set.rows.filter(({ prompt }) => seen.has(hashPrompt(prompt))).length : null;
  const evaluation = evaluate(set, scores, threshold, { ...bootstrap, seenInTraining });
  const scored = set.rows.map(({ id, label, softLabel }, row): ScoredRow => {
    const { score, margin } = scores[row]!;
    return { id, score, ...(margin === undefined ? {} : { margin }), label: label ?? (softLabel! > 0.5 ? 1 : 0) };
  });
  return { evaluation, scored };
}

function withoutUnjudged(set: EvaluationSet, found: readonly (Score | NoScore)[]) {
  const skipped: Record<string, number> = { ...set.skipped };
  const scores: Score[] = [];
  const rows = set.rows.filter((_, row) => {
    const one = found[row]!;
    if (!('reason' in one)) return scores.push(one);
    skipped[one.reason] = (skipped[one.reason] ?? 0) + 1;
    return false;
  });
  return { set: { ...set, rows, skipped }, scores };
}
