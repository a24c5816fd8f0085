/** What a guard is adapted with. */
import { ConfigError } from 'onnx-grad';
import { checkSettings, type DistillSettings, distillDefaults } from '../distill/settings.ts';

export interface AdaptSettings {
  /** Most rows of the new attack, half of each class. */
  readonly examples: number;
  /** Most rows of old data that are learned again beside them. */
  readonly replay: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly maxLength: number;
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly weightDecay: number;
  /**
   * How much of a target is the guard's own score, as it was, and not the label: of old rows, so that it stays what it is
   * (learning without forgetting; Li & Hoiem 2016, arXiv:1606.09282), and of what an attack was made from.
   */
  readonly trust: number;
}

export const adaptDefaults: AdaptSettings = {
  examples: 2000,
  replay: 2000,
  epochs: 3,
  batchSize: 32,
  maxLength: 64, // longer rows cost more and make a guard forget more (docs/experiments.md)
  learningRate: 2e-4,
  warmupSteps: 100,
  weightDecay: 0.1,
  trust: 0.5,
};

/** @throws ConfigError naming the setting, its range and what it got */
export function checkAdaptSettings(given: Partial<AdaptSettings>): AdaptSettings {
  const settings = { ...adaptDefaults, ...given };
  const { examples, replay, trust } = settings;
  for (const [name, value, least] of [
    ['examples', examples, 2],
    ['replay', replay, 0],
  ] as const) {
    if (Number.isInteger(value) && value >= least && value <= 1e9) continue;
    throw new ConfigError(`${name}: expected a whole number from ${least} to 1e9, got ${value}.`);
  }
  if (!(trust >= 0 && trust <= 1)) throw new ConfigError(`trust: expected a number from 0 to 1, got ${trust}.`);
  distillSettingsOf(settings);
  return settings;
}

/** Every target is a probability, made before training from label and own score. */
export function distillSettingsOf({
  examples: _,
  replay: __,
  trust: ___,
  ...settings
}: AdaptSettings): DistillSettings {
  return checkSettings({ ...distillDefaults, ...settings, lambda: 1, sampling: 'plain', validationShare: 0 });
}
