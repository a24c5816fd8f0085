/** From the verdicts of one row to its label, and what is worth a second look. */
import type { Said } from '../ledger/records.ts';
import { averageTeachers } from '../teachers/average.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { type AbstainReason, abstain, NO_USAGE, type Verdict } from '../teachers/verdict.ts';

export interface MarkSettings {
  /** |p - 0.5| under which a label is near the boundary. */
  readonly boundary: number;
  /** Spread of the teachers' p over which they disagree. */
  readonly disagreement: number;
}

export interface Marked {
  readonly softLabel: number | null;
  readonly logOdds: number | null;
  readonly category: string | null;
  /** Highest less lowest p of the teachers that gave one; `null` of fewer than two. */
  readonly spread: number | null;
  readonly isBoundary: boolean | null;
  readonly isDisputed: boolean | null;
  /** Why there is no label. */
  readonly reason: string | null;
}

/** @param minimum verdicts needed; absent: all */
export async function markRow(
  said: readonly Said[],
  minimum: number | undefined,
  { boundary, disagreement }: MarkSettings,
): Promise<Marked> {
  const verdict = await averageTeachers(said.map(constantTeacher), { minimum }).judge({ id: '', prompt: '' });
  const scores = said.flatMap((one) => ('score' in one ? [one.score] : []));
  const spread = scores.length < 2 ? null : Math.max(...scores) - Math.min(...scores);
  if (verdict.kind === 'abstained') {
    const none = { softLabel: null, logOdds: null, category: null, isBoundary: null, isDisputed: null };
    return { ...none, spread, reason: verdict.reason };
  }
  const { score, logOdds, category } = verdict;
  const isBoundary = Math.abs(score - 0.5) < boundary;
  const isDisputed = spread !== null && spread > disagreement;
  return { softLabel: score, logOdds, category, spread, isBoundary, isDisputed, reason: null };
}

/** A teacher that says what was said. */
function constantTeacher(said: Said): Teacher {
  const verdict: Verdict =
    'score' in said ? { kind: 'scored', ...said, usage: NO_USAGE } : abstain(said.reason as AbstainReason);
  return { name: '', about: {}, concurrency: 1, judge: async () => verdict, dispose: async () => {} };
}
