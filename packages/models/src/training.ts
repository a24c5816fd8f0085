/** From a model and its weights to a program that a trainer runs. */
import { ConfigError, type TrainingProgram, type Value } from 'onnx-grad';
import type { Model } from './model.ts';

export interface ProgramOptions {
  readonly weightDecay?: number;
  /** Parameters by name: of the checkpoint, and fresh ones. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly loss: Value;
  /** What weights a batch among several of a step, where its loss is no mean over rows. */
  readonly countTerms?: TrainingProgram['countTerms'];
}

/** Weight decay on matrices alone, not on biases and norms. @throws ConfigError for a weight that is missing */
export function trainingProgram(model: Model, options: ProgramOptions): TrainingProgram {
  const { loss, weights, countTerms, weightDecay = 0 } = options;
  const { parameters, dropoutSites, recompute } = model.scope;
  return {
    graph: model.graph,
    loss,
    recompute,
    ...(countTerms ? { countTerms } : {}),
    dropout: [...dropoutSites.values()],
    parameters: [...parameters.values()].map(({ name, shape, value }) => {
      const initial = weights.get(name);
      if (!initial) throw new ConfigError(`No weights for "${name}" (${shape.join(', ')}).`);
      return { name, value, initial, weightDecay: shape.length > 1 ? weightDecay : 0 };
    }),
  };
}
