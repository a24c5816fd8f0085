/** One course of training on our own engine: from fresh weights and a graph with a loss to what was learned. */
import { initialize, type Model } from '@harmaug/models';
import type { Batch, schedules, TrainingProgram } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { type Progress, trackSteps } from './progress.ts';

export function freshWeights({ scope, config }: Model, seed: number): Map<string, Float32Array> {
  return new Map([...scope.parameters].map(([name, spec]) => [name, initialize(spec, config.initializerRange, seed)]));
}

export interface Training {
  /** One for each step. */
  readonly batches: Iterable<Batch>;
  readonly steps: number;
  readonly learningRate: ReturnType<typeof schedules.linear>;
  readonly seed: number;
  readonly threads: number | undefined;
  readonly progress: Progress;
}

/** @returns the weights behind the last step */
export async function train(
  program: TrainingProgram,
  { batches, steps, learningRate, seed, threads, progress }: Training,
): Promise<Map<string, Float32Array>> {
  const options = { learningRate, beta2: 0.98, seed, ...(threads === undefined ? {} : { threads }) };
  const trainer = await createTrainer(program, options);
  const track = trackSteps(progress, steps);
  for (const batch of batches) track((await trainer.step(batch)).loss);
  const weights = await trainer.parameters();
  await trainer.dispose();
  return weights;
}
