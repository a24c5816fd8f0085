/** Whether a run's loss has risen far above where it began, which no later step makes good. */

import { DivergedError } from 'onnx-grad';
import type { DistillSettings } from './settings.ts';

const BEGINNING = 10; // steps
const RECENT = 100; // steps: a mean over so many is no bad batch
const [FACTOR, NATS] = [1.5, 0.5]; // over the beginning by both: a student that was good already may lose a little at first

interface Divergence {
  /** Means, in nats. */
  readonly beginning: number;
  readonly recent: number;
}

/** @param losses of all steps so far @throws DivergedError with what to do; the last checkpoint stays as it is */
export function expectNoDivergence(
  losses: readonly number[],
  { precision, out }: Pick<DistillSettings, 'precision'> & { readonly out: string },
): void {
  const found = divergence(losses);
  if (!found) return;
  const [recent, beginning] = [found.recent.toFixed(2), found.beginning.toFixed(2)];
  const orFloat = precision === 'int8' ? ', or train in float32' : '';
  throw new DivergedError(
    `Training diverges: up to step ${losses.length} the loss is ${recent} on average, at the beginning it was ${beginning}. ` +
      `Lower the learning rate or lengthen the warm-up${orFloat}, with another --out or ${out} removed.`,
  );
}

/** @returns `null` while there is nothing to fear */
export function divergence(losses: readonly number[]): Divergence | null {
  if (losses.length < BEGINNING + RECENT) return null;
  const [beginning, recent] = [mean(losses.slice(0, BEGINNING)), mean(losses.slice(-RECENT))];
  return recent > FACTOR * beginning && recent > beginning + NATS ? { beginning, recent } : null;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
