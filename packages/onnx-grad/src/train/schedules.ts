/** Learning rates by step. Steps count from 0; every schedule is a pure function, so a resumed run continues it. */
import { ConfigError } from '../errors.ts';

/** The learning rate of a step. */
export type Schedule = (step: number) => number;

export interface WarmupOptions {
  readonly peak: number;
  /** Steps that rise from 0 to the peak; the first is at rate 0. */
  readonly warmupSteps?: number;
  readonly totalSteps: number;
}

export function constant(rate: number): Schedule {
  return () => rate;
}

/** Linear warm-up, then linear decay to 0 at `totalSteps`: transformers' get_linear_schedule_with_warmup. */
export function linear({ peak, warmupSteps = 0, totalSteps }: WarmupOptions): Schedule {
  expectSteps(warmupSteps, totalSteps);
  return (step) => {
    if (step < warmupSteps) return (peak * step) / warmupSteps;
    return peak * Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
  };
}

/** Linear warm-up, then half a cosine down to 0: transformers' get_cosine_schedule_with_warmup. */
export function cosine({ peak, warmupSteps = 0, totalSteps }: WarmupOptions): Schedule {
  expectSteps(warmupSteps, totalSteps);
  return (step) => {
    if (step < warmupSteps) return (peak * step) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

function expectSteps(warmupSteps: number, totalSteps: number): void {
  if (!(Number.isInteger(warmupSteps) && warmupSteps >= 0)) {
    throw new ConfigError(`warmupSteps: expected a whole number from 0, got ${warmupSteps}.`);
  }
  if (!(Number.isInteger(totalSteps) && totalSteps > 0)) {
    throw new ConfigError(`totalSteps: expected a whole number from 1, got ${totalSteps}.`);
  }
}
