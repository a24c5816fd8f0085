import { ConfigError } from '../errors.ts';

/** The numbers of an AdamW step, and what the kernels are given of them. */

export interface AdamwSettings {
  /** t, from 1. */
  readonly step: number;
  readonly learningRate: number;
  /** Decoupled: each step multiplies the parameter by 1 - learningRate * weightDecay. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** What the gradient is multiplied by first: the clip factor, and 1 over the number of micro-batches. */
  readonly gradientScale: number;
}

export const adamwDefaults = {
  beta1: 0.9, // torch.optim.AdamW
  beta2: 0.999, // torch.optim.AdamW
  eps: 1e-8, // torch.optim.AdamW
  gradientScale: 1,
} as const;

/** What the kernel takes, in its order; the formula stands in assembly/kernels.ts. */
export type AdamwScalars = readonly [
  decay: number,
  oneMinusBeta1: number,
  beta2: number,
  oneMinusBeta2: number,
  correction: number,
  eps: number,
  stepSize: number,
  gradientScale: number,
];

/**
 * The scalars of a step. They are taken in float64, as PyTorch does, and rounded to float32 once, by the kernel.
 * @throws ConfigError for a step below 1, a beta outside [0, 1), or an eps of 0, which would divide zero by zero
 */
export function adamwScalars(settings: AdamwSettings): AdamwScalars {
  const { step, learningRate, weightDecay, beta1, beta2, eps, gradientScale } = settings;
  if (!(Number.isInteger(step) && step >= 1)) throw new ConfigError(`AdamW step ${step}, expected 1, 2, 3 …`);
  for (const beta of [beta1, beta2]) {
    if (!(beta >= 0 && beta < 1)) throw new ConfigError(`AdamW beta ${beta}, expected at least 0 and less than 1.`);
  }
  if (!(eps > 0)) throw new ConfigError(`AdamW eps ${eps}, expected a number above 0.`);
  const correction = Math.sqrt(1 - beta2 ** step);
  const stepSize = learningRate / (1 - beta1 ** step);
  return [1 - learningRate * weightDecay, 1 - beta1, beta2, 1 - beta2, correction, eps, stepSize, gradientScale];
}
