/** The steps of a run: how many, and which rows each takes. */
import { epochBatches } from './epoch.ts';
import type { DistillData } from './prepare.node.ts';
import type { DistillSettings } from './settings.ts';

export interface StepPlan {
  readonly totalSteps: number;
  batches(epoch: number): number[][];
}

/** Batches of an epoch by row number, and how many steps the run has. */
export function planSteps(
  { lengths, targets, isSynthetic, split }: DistillData,
  settings: DistillSettings,
  seed: number,
): StepPlan {
  const pick = <T>(values: readonly T[]) => split.training.map((row) => values[row]!);
  const rows = {
    lengths: pick(lengths),
    labels: pick(targets).map(({ label }) => label),
    isSynthetic: pick(isSynthetic),
  };
  const perEpoch = Math.ceil(split.training.length / settings.batchSize);
  return {
    totalSteps: Math.min(settings.epochs * perEpoch, settings.maxSteps ?? Infinity),
    batches: (epoch) =>
      epochBatches(rows, settings, { seed, epoch }).map((batch) => batch.map((at) => split.training[at]!)),
  };
}
