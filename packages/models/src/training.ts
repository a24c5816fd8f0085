/** From a model and its weights to a program that a trainer runs. */
import { ConfigError, type TrainingProgram, type Value } from 'onnx-grad';
import type { Model } from './model.ts';

export interface ProgramOptions {
  readonly weightDecay?: number;
  /** Parameters by name: of the checkpoint, and fresh ones. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly loss: Value;
}

/** Weight decay on matrices alone, not on biases and norms. @throws ConfigError for a weight that is missing */
export function trainingProgram(model: Model, { loss, weights, weightDecay = 0 }: ProgramOptions): TrainingProgram {
  const { parameters, dropoutSites, recompute } = model.scope;
  return {
    graph: model.graph,
    loss,
    recompute,
    dropout: [...dropoutSites.values()],
    parameters: [...parameters.values()].map(({ name, shape, value }) => {
      const initial = weights.get(name);
      if (!initial) throw new ConfigError(`No weights for "${name}" (${shape.join(', ')}).`);
      return { name, value, initial, weightDecay: shape.length > 1 ? weightDecay : 0 };
    }),
  };
}
