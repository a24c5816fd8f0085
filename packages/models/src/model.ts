/** A model: an encoder with a head, built once into a graph for training or for use. */
import { createGraph, type Dim, type Graph, ops, type Value } from 'onnx-grad';
import { readCategoryNames } from './categories.ts';
import { type BaseConfig, declareInputs, type Encoder, type EncoderInputs } from './encoders/encoder.ts';
import { encoderFor } from './encoders/index.ts';
import { linear } from './layers.ts';
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
  /** (B, categories) logits of a classifier with `category_names`, which are not probabilities of harm; else `null`. */
  readonly categories: Value | null;
  readonly categoryNames: readonly string[];
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
  const categoryNames = options.head === 'sequence-classification' ? readCategoryNames(json, options.file) : [];
  const { output, categories = null } = heads[options.head](scope, encoder, inputs, config, categoryNames.length);
  return { graph, scope, encoder, config, inputs, output, categories, categoryNames };
}

/** Weights of the categories' head: `category_classifier.weight` and `.bias`. */
export const CATEGORY_HEAD = 'category_classifier';

type BuildHead = (
  scope: Scope,
  encoder: Encoder,
  inputs: EncoderInputs,
  config: BaseConfig,
  categoryCount: number,
) => { readonly output: Value; readonly categories?: Value };

const heads: Record<Head, BuildHead> = {
  'sequence-classification': (scope, encoder, inputs, config, categoryCount) => {
    const isMean = encoder.classifierPooling?.(config) === 'mean';
    const pooled = isMean ? encodeMean(scope, encoder, inputs, config) : encoder.encode(scope, inputs, config, 'first');
    const output = encoder.classify(scope, pooled, config);
    return categoryCount === 0
      ? { output }
      : { output, categories: linear(scope, pooled, CATEGORY_HEAD, categoryCount) };
  },

  'masked-lm': (scope, encoder, inputs, config) => {
    const logits = encoder.predictTokens(scope, encoder.encode(scope, inputs, config, 'all'), config);
    return { output: ops.reshape(logits, [...inputs.inputIds.dims, config.vocabSize]) };
  },

  'mean-pooling': (scope, encoder, inputs, config) => ({ output: encodeMean(scope, encoder, inputs, config) }),

  none: (scope, encoder, inputs, config) => {
    const hidden = encoder.encode(scope, inputs, config, 'all');
    return { output: ops.reshape(hidden, [...inputs.inputIds.dims, config.hiddenSize]) };
  },
};

/** Mean of the last hidden states over real tokens, as sentence-transformers has it: (B, E). */
function encodeMean(scope: Scope, encoder: Encoder, inputs: EncoderInputs, config: BaseConfig): Value {
  const [batch, length] = inputs.inputIds.dims as [Dim, Dim];
  const hidden = ops.reshape(encoder.encode(scope, inputs, config, 'all'), [batch, length, config.hiddenSize]);
  const weights = ops.reshape(ops.cast(inputs.attentionMask, 'float32'), [batch, length, 1]);
  const sum = ops.reduceSum(ops.mul(hidden, weights), { axes: [1] });
  return ops.div(sum, ops.add(ops.reduceSum(weights, { axes: [1] }), 1e-9));
}
