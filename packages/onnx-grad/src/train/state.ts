/** What trainers on every device share: clipping's constant, a diverged run, a state that does not fit. */
import { ConfigError } from '../errors.ts';
import type { TrainerState } from './trainer.ts';

/** Added to the norm before dividing by it, as torch.nn.utils.clip_grad_norm_ does. */
export const CLIP_EPSILON = 1e-6;

/** The loss or the gradients are not numbers any more, or the loss is far above its start: going on is of no use. */
export class DivergedError extends Error {
  override name = 'DivergedError';
}

export function diverged(step: number, loss: number, gradNorm: number): DivergedError {
  return new DivergedError(
    `Training diverged at step ${step}: loss ${loss}, gradient norm ${gradNorm}. The parameters are those of the step before. ` +
      'Lower the learning rate or lengthen the warm-up, and check the batch for labels out of range.',
  );
}

/** @throws ConfigError when the state is not of these parameters */
export function checkState(state: TrainerState, expected: readonly (readonly [name: string, length: number])[]): void {
  for (const [name, length] of expected) {
    for (const kind of ['parameters', 'firstMoments', 'secondMoments'] as const) {
      const found = state[kind].get(name)?.length;
      if (found === length) continue;
      const got = found === undefined ? 'nothing' : `${found}`;
      throw new ConfigError(
        `${kind} of "${name}": expected ${length} numbers, got ${got}. The state is of another model.`,
      );
    }
  }
  for (const name of state.parameters.keys()) {
    if (!expected.some(([known]) => known === name)) {
      throw new ConfigError(`The state has "${name}", which the model has not. The state is of another model.`);
    }
  }
}
