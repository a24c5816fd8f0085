/** A set to measure on, in disguise. */
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { applyTransform } from './apply.ts';

/**
 * A set of its own, `xstest~caesar:3`: its figures never stand among those of the plain one.
 * @param spec `caesar:3`; none that asks a language model
 * @throws ConfigError for a spec that is none
 */
export async function disguiseSet(set: EvaluationSet, spec: string): Promise<EvaluationSet> {
  const { rows, skipped } = await applyTransform(set.rows, spec);
  const counts = { ...set.skipped };
  for (const [reason, count] of skipped) counts[reason] = (counts[reason] ?? 0) + count;
  return { ...set, id: `${set.id}~${spec}`, rows, skipped: counts };
}
