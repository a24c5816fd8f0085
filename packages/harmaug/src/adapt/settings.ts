/** What a guard is adapted with. */
import { ConfigError } from 'onnx-grad';
import { checkSettings, type DistillSettings, distillDefaults } from '../distill/settings.ts';

export interface AdaptSettings {
  /** Most rows of the new attack, half of each class. */
  readonly examples: number;
  /** Most rows of old data that are learned beside them in an epoch, in each others as far as there are any. */
  readonly replay: number;
  /** Passes over the rows of the attack. */
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
  /** Share of the trained weights in the result, the rest being the guard's as it was (WiSE-FT; Wortsman et al. 2022). */
  readonly newWeights: number;
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
  newWeights: 0.8,
};

/** @throws ConfigError naming the setting, its range and what it got */
export function checkAdaptSettings(given: Partial<AdaptSettings>): AdaptSettings {
  const settings = { ...adaptDefaults, ...given };
  const { examples, replay, epochs } = settings;
  for (const [name, value, least, most] of [
    ['examples', examples, 2, 1e9],
    ['replay', replay, 0, 1e9],
    ['epochs', epochs, 1, 1000],
  ] as const) {
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new ConfigError(`${name}: expected a whole number from ${least} to ${most}, got ${value}.`);
  }
  for (const name of ['trust', 'newWeights'] as const) {
    const value = settings[name];
    if (!(value >= 0 && value <= 1)) throw new ConfigError(`${name}: expected a number from 0 to 1, got ${value}.`);
  }
  distillSettingsOf(settings);
  return settings;
}

/**
 * Every target is a probability, made before training from label and own score; the rows of every epoch are one list. In a
 * batch of one length there would be rows of the attack alone, or old ones alone, and the guard would sway between them.
 */
export function distillSettingsOf({
  examples: _,
  replay: __,
  trust: ___,
  epochs: ____,
  newWeights: _____,
  ...settings
}: AdaptSettings): DistillSettings {
  return checkSettings({
    ...distillDefaults,
    ...settings,
    epochs: 1,
    lambda: 1,
    sampling: 'plain',
    batching: 'mixed',
    dropout: 'none',
    validationShare: 0,
  });
}
