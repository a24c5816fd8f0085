/** What a distillation run is started with. The defaults are the paper's (arXiv:2410.01524, and its script/kd.sh). */
import type { Precision } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';

export interface DistillSettings {
  readonly epochs: number;
  /** Rows of one optimizer step, however many micro-batches they take. */
  readonly batchSize: number;
  /** Tokens of a text or pair; longer ones are cut, and counted. */
  readonly maxLength: number;
  readonly learningRate: number;
  /** Steps that the rate rises from 0; at most a tenth of all. */
  readonly warmupSteps: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  /** Weight of the teacher's soft labels against the hard ones: (1 - λ)·CE + λ·KL. */
  readonly lambda: number;
  readonly temperature: number;
  /** Weight of a second head that tells hazard categories apart, learned from the rows that have one; 0 for none. */
  readonly categoryWeight: number;
  /** `balanced`: rows drawn with replacement so that both classes come equally often. `plain`: each row once an epoch. */
  readonly sampling: 'balanced' | 'plain';
  /** `by-length`: rows of similar length share a batch, for speed. `mixed`: any rows, for sets whose kinds differ in length. */
  readonly batching: 'by-length' | 'mixed';
  /** `model`: what the student's config says. */
  readonly dropout: 'model' | 'none';
  /** What the products of the student's layers are computed in, forward and backward. */
  readonly precision: Precision;
  /** Share of synthetic rows in an epoch; `null` for their share of all rows. */
  readonly syntheticShare: number | null;
  /** What a row without a soft label does: stop the run, or stand for its hard label. */
  readonly missingSoftLabel: 'error' | 'hard';
  /** Share of prompts held out for validation; 0 for none. */
  readonly validationShare: number;
  /** Which weights are kept: those of the last step, or of the epoch with the best AUPRC on the validation rows. */
  readonly keep: 'last' | 'best';
  /** Epochs without a better AUPRC after which a run stops; `null` for never. */
  readonly patience: number | null;
  /** Optimizer steps after which a run ends, whatever the epochs; `null` for no limit. */
  readonly maxSteps: number | null;
}

export const distillDefaults: DistillSettings = {
  epochs: 3,
  batchSize: 256,
  maxLength: 1024,
  learningRate: 3e-5,
  warmupSteps: 100,
  weightDecay: 0.1,
  clipNorm: 1,
  lambda: 0.5,
  temperature: 1,
  categoryWeight: 0,
  sampling: 'balanced',
  batching: 'by-length',
  dropout: 'model',
  precision: 'float32',
  syntheticShare: null,
  missingSoftLabel: 'error',
  validationShare: 0.1,
  keep: 'last',
  patience: null,
  maxSteps: null,
};

interface Range {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
  readonly isOptional?: boolean;
}

const ranges: Partial<Record<keyof DistillSettings, Range>> = {
  epochs: { min: 1, max: 10_000, isWhole: true },
  batchSize: { min: 1, max: 65_536, isWhole: true },
  maxLength: { min: 4, max: 1_048_576, isWhole: true },
  learningRate: { min: 0, max: 1 },
  warmupSteps: { min: 0, max: 1e9, isWhole: true },
  weightDecay: { min: 0, max: 10 },
  clipNorm: { min: 1e-6, max: 1e9 },
  lambda: { min: 0, max: 1 },
  temperature: { min: 0.01, max: 100 },
  categoryWeight: { min: 0, max: 100 },
  syntheticShare: { min: 0, max: 1, isOptional: true },
  validationShare: { min: 0, max: 0.9 },
  patience: { min: 1, max: 10_000, isWhole: true, isOptional: true },
  maxSteps: { min: 1, max: 1e9, isWhole: true, isOptional: true },
};

/** @throws ConfigError naming the setting, its range and what it got */
export function checkSettings(given: Partial<DistillSettings>): DistillSettings {
  const settings = { ...distillDefaults, ...given };
  for (const [name, { min, max, isWhole = false, isOptional = false }] of Object.entries(ranges)) {
    const value = settings[name as keyof DistillSettings] as number | null;
    if (value === null && isOptional) continue;
    if (typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value))) continue;
    throw new ConfigError(`${name}: expected a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, got ${value}.`);
  }
  if (settings.validationShare === 0 && (settings.keep === 'best' || settings.patience !== null)) {
    const asked = settings.keep === 'best' ? 'keep: best' : 'patience';
    throw new ConfigError(`${asked} needs validation rows. Set validationShare over 0, 0.1 say.`);
  }
  return settings;
}
