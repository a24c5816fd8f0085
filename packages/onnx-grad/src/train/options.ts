/** A trainer's options: checked when it is made, defaults filled in. */
import { ConfigError } from '../errors.ts';
import { constant, type Schedule } from './schedules.ts';
import type { TrainerOptions } from './trainer.ts';

export interface Settings extends Required<Omit<TrainerOptions, 'threads' | 'learningRate'>> {
  /** @throws ConfigError when the schedule gives no rate for the step */
  readonly rateOf: Schedule;
  /** `undefined`: one for each core. */
  readonly threads: number | undefined;
}

const isCount = (value: number) => Number.isInteger(value) && value >= 1;
const isShare = (value: number) => value >= 0 && value < 1;
const isPositive = (value: number) => value > 0 && Number.isFinite(value);

/** What each number may be where it is given. */
const ranges: { readonly [Name in keyof TrainerOptions]?: readonly [(value: number) => boolean, expected: string] } = {
  beta1: [isShare, 'at least 0 and less than 1'],
  beta2: [isShare, 'at least 0 and less than 1'],
  epsilon: [isPositive, 'a number above 0'],
  clipNorm: [isPositive, 'a number above 0, or null for no clipping'],
  seed: [(value) => Number.isSafeInteger(value) && value >= 0, 'a whole number from 0'],
  threads: [isCount, 'a whole number from 1'],
  maxTokens: [isCount, 'a whole number from 1'],
};

/**
 * @param fallback the device's own default
 * @throws ConfigError naming the option that is out of range
 */
export function resolveOptions(options: TrainerOptions, fallback: { maxTokens: number }): Settings {
  for (const [name, [isRight, expected]] of Object.entries(ranges)) {
    const value = options[name as keyof typeof ranges];
    if (value === undefined || (value === null && name === 'clipNorm')) continue;
    if (!isRight(value as number)) throw new ConfigError(`${name}: expected ${expected}, got ${value}.`);
  }
  const { learningRate, seed = 0, threads, maxTokens = fallback.maxTokens } = options;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options; // torch.optim.AdamW
  const { clipNorm = 1 } = options; // transformers' TrainingArguments, max_grad_norm
  const schedule = typeof learningRate === 'number' ? constant(checkRate(learningRate)) : learningRate;
  const rateOf = (step: number) => checkRate(schedule(step), ` of step ${step}`);
  return { rateOf, beta1, beta2, epsilon, clipNorm, seed, threads, maxTokens };
}

function checkRate(rate: number, where = ''): number {
  if (rate >= 0 && Number.isFinite(rate)) return rate;
  throw new ConfigError(`learningRate${where}: expected a number from 0, got ${rate}.`);
}
