/** What `harmaug evaluate --json` prints: of one guard, of several, of saved scores, of two compared. */
import { z } from 'zod';
import { count, estimated, facts, figure, name } from './fields.ts';

const bin = z.object({ count, meanScore: z.number(), unsafeShare: z.number() });

const slice = z.object({
  by: name,
  name,
  rows: count,
  unsafe: count,
  f1: figure,
  auprc: figure,
  recall: figure,
  fpr: figure,
});

const evaluation = z.object({
  set: name,
  version: z.union([z.number(), z.string()]).nullable().default(null),
  /** Of the rows; absent in results of old. */
  hash: name.nullable().default(null),
  rows: count,
  unsafe: count,
  skipped: z.record(z.string(), count).default({}),
  truncated: count.default(0),
  seenInTraining: count.nullable().default(null),
  threshold: z.number(),
  metrics: z.record(z.string(), estimated),
  reliability: z.array(bin).default([]),
  slices: z.array(slice).default([]),
});

export type SavedEvaluation = z.output<typeof evaluation>;

const guard = z.object({ guard: name, about: facts.default({}), sets: z.array(evaluation).min(1) });
const several = z.object({ guards: z.array(guard).min(1) });
const ofScores = z.object({ scores: name, sets: z.array(evaluation).min(1) });

const comparison = z.object({
  scores: name,
  against: name,
  rows: count,
  differences: z.array(z.object({ metric: name, value: figure, low: figure, high: figure, pValue: figure })),
});

export interface EvaluatedGuard {
  readonly guard: string;
  readonly about: Readonly<Record<string, unknown>>;
  readonly sets: readonly SavedEvaluation[];
  /** How many of one kind were measured together, as seeds are. */
  readonly together: number;
}
export type ComparisonResult = z.output<typeof comparison>;

export const evaluationSchemas = { guard, several, ofScores, comparison };
