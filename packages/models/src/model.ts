/** A model: an encoder with a head, built once into a graph for training or for use. */
import { createGraph, type Dim, type Graph, ops, type Value } from 'onnx-grad';
import { type BaseConfig, declareInputs, type Encoder, type EncoderInputs } from './encoders/encoder.ts';
import { encoderFor } from './encoders/index.ts';
import { Scope } from './scope.ts';

/** Heads by what they give. */
export type Head = 'sequence-classification' | 'masked-lm' | 'mean-pooling' | 'none';

export interface Model {
  readonly graph: Graph;
  readonly scope: Scope;
  readonly encoder: Encoder;
  readonly config: BaseConfig;
  readonly inputs: EncoderInputs;
  /** Classification: (B, labels). Masked LM: (B, T, V). Mean pooling: (B, E). None: (B, T, E). */
  readonly output: Value;
}

export interface BuildOptions {
  readonly head: Head;
  /** Dropout on. */
  readonly training?: boolean;
  /** Gradient checkpointing: a layer's inner values are computed again in the backward pass. */
  readonly recompute?: boolean;
  /** Named in errors. */
  readonly file?: string;
}

/** Builds the model that a Hugging Face config describes. @throws FormatError where the config is not one of ours */
export function buildModel(json: Readonly<Record<string, unknown>>, options: BuildOptions): Model {
  const encoder = encoderFor(json, options.file);
  const config = encoder.parseConfig(json, options.file);
  const graph = createGraph();
  const scope = new Scope(graph, options);
  const inputs = declareInputs(graph, config);
  return { graph, scope, encoder, config, inputs, output: heads[options.head](scope, encoder, inputs, config) };
}

type BuildHead = (scope: Scope, encoder: Encoder, inputs: EncoderInputs, config: BaseConfig) => Value;

const heads: Record<Head, BuildHead> = {
  'sequence-classification': (scope, encoder, inputs, config) =>
    encoder.classify(scope, encoder.encode(scope, inputs, config, 'first'), config),

  'masked-lm': (scope, encoder, inputs, config) => {
    const logits = encoder.predictTokens(scope, encoder.encode(scope, inputs, config, 'all'), config);
    return ops.reshape(logits, [...inputs.inputIds.dims, config.vocabSize]);
  },

  /** Mean of the last hidden states over real tokens, as sentence-transformers has it. */
  'mean-pooling': (scope, encoder, inputs, config) => {
    const [batch, length] = inputs.inputIds.dims as [Dim, Dim];
    const hidden = ops.reshape(encoder.encode(scope, inputs, config, 'all'), [batch, length, config.hiddenSize]);
    const weights = ops.reshape(ops.cast(inputs.attentionMask, 'float32'), [batch, length, 1]);
    const sum = ops.reduceSum(ops.mul(hidden, weights), { axes: [1] });
    return ops.div(sum, ops.add(ops.reduceSum(weights, { axes: [1] }), 1e-9));
  },

  none: (scope, encoder, inputs, config) =>
    ops.reshape(encoder.encode(scope, inputs, config, 'all'), [...inputs.inputIds.dims, config.hiddenSize]),
};
