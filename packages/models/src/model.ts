/** A model: an encoder or decoder with a head, built once into a graph for training or for use. */
import { ConfigError, createGraph, type Dim, type Graph, ops, type Value } from 'onnx-grad';
import { type Backbone, type BaseConfig, declareInputs, type LanguageModel, type ModelInputs } from './backbone.ts';
import { backboneFor } from './backbones.ts';
import { readCategoryNames } from './categories.ts';
import { linear } from './layers.ts';
import { Scope } from './scope.ts';

/** Heads by what they give. */
export type Head = 'sequence-classification' | LanguageModel | 'mean-pooling' | 'none';

export interface Model {
  readonly graph: Graph;
  readonly scope: Scope;
  readonly backbone: Backbone;
  readonly config: BaseConfig;
  readonly inputs: ModelInputs;
  /** Classification: (B, labels). Masked and causal LM: (B, T, V). Mean pooling: (B, E). None: (B, T, E). */
  readonly output: Value;
  /** (B, T, E) last hidden states of a classifier that was asked for them; else `null`. */
  readonly hidden: Value | null;
  /** (B, categories) logits of a classifier with `category_names`, which are not probabilities of harm; else `null`. */
  readonly categories: Value | null;
  readonly categoryNames: readonly string[];
}

export interface BuildOptions {
  readonly head: Head;
  /** Dropout on. */
  readonly training?: boolean;
  /** Last hidden states of all tokens beside a classifier's logits; encoders alone. */
  readonly hidden?: boolean;
  /** Gradient checkpointing: a layer's inner values are computed again in the backward pass. */
  readonly recompute?: boolean;
  /** Named in errors. */
  readonly file?: string;
}

/** Builds the model that a Hugging Face config describes. @throws FormatError where the config is not one of ours */
export function buildModel(json: Readonly<Record<string, unknown>>, options: BuildOptions): Model {
  const backbone = backboneFor(json, options.file);
  expectHead(options, backbone);
  const config = backbone.parseConfig(json, options.file);
  const graph = createGraph();
  const scope = new Scope(graph, options);
  const inputs = declareInputs(graph, config);
  const categoryNames = options.head === 'sequence-classification' ? readCategoryNames(json, options.file) : [];
  const { head, hidden: withHidden = false } = options;
  const asked = { categoryCount: categoryNames.length, withHidden };
  const { output, hidden = null, categories = null } = heads[head](scope, backbone, inputs, config, asked);
  return { graph, scope, backbone, config, inputs, output, hidden, categories, categoryNames };
}

function expectHead({ head, hidden, file = 'config.json' }: BuildOptions, backbone: Backbone): void {
  const { modelType, languageModel } = backbone;
  if (hidden && (head !== 'sequence-classification' || languageModel !== 'masked-lm')) {
    throw new ConfigError(
      `${file}: hidden states are given beside an encoder's classifier, not by a ${modelType}'s "${head}".`,
    );
  }
  if ((head !== 'masked-lm' && head !== 'causal-lm') || head === languageModel) return;
  throw new ConfigError(`${file}: a ${modelType} has no head "${head}". Expected "${languageModel}".`);
}

/** Weights of the categories' head: `category_classifier.weight` and `.bias`. */
export const CATEGORY_HEAD = 'category_classifier';

type BuildHead = (
  scope: Scope,
  backbone: Backbone,
  inputs: ModelInputs,
  config: BaseConfig,
  asked: { readonly categoryCount: number; readonly withHidden: boolean },
) => { readonly output: Value; readonly hidden?: Value; readonly categories?: Value };

const heads: Record<Head, BuildHead> = {
  'sequence-classification': (scope, backbone, inputs, config, { categoryCount, withHidden }) => {
    const isMean = backbone.classifierPooling?.(config) === 'mean';
    const hidden = withHidden || isMean ? encodeAll(scope, backbone, inputs, config) : null;
    const pooled = isMean
      ? meanOverTokens(hidden!, inputs)
      : (firstToken(hidden) ?? backbone.encode(scope, inputs, config, 'one'));
    const output = backbone.classify(scope, pooled, config);
    return {
      output,
      ...(withHidden ? { hidden: hidden! } : {}),
      ...(categoryCount === 0 ? {} : { categories: linear(scope, pooled, CATEGORY_HEAD, categoryCount) }),
    };
  },

  'masked-lm': predictEveryToken,
  'causal-lm': predictEveryToken,
  'mean-pooling': (scope, backbone, inputs, config) => ({
    output: meanOverTokens(encodeAll(scope, backbone, inputs, config), inputs),
  }),
  none: (scope, backbone, inputs, config) => ({ output: encodeAll(scope, backbone, inputs, config) }),
};

function predictEveryToken(scope: Scope, backbone: Backbone, inputs: ModelInputs, config: BaseConfig) {
  const logits = backbone.predictTokens(scope, backbone.encode(scope, inputs, config, 'all'), config);
  return { output: ops.reshape(logits, [...inputs.inputIds.dims, config.vocabSize]) };
}

/** (B, T, E) last hidden states. */
function encodeAll(scope: Scope, backbone: Backbone, inputs: ModelInputs, config: BaseConfig): Value {
  return ops.reshape(backbone.encode(scope, inputs, config, 'all'), [...inputs.inputIds.dims, config.hiddenSize]);
}

/** (B, T, E) -> (B, E): what an encoder's classifier reads. */
function firstToken(hidden: Value | null): Value | null {
  if (hidden === null) return null;
  const [batch, , size] = hidden.dims as [Dim, Dim, Dim];
  return ops.reshape(ops.slice(hidden, { axis: 1, start: 0, end: 1 }), [batch, size]);
}

/** Mean of the last hidden states over real tokens, as sentence-transformers has it: (B, T, E) -> (B, E). */
function meanOverTokens(hidden: Value, inputs: ModelInputs): Value {
  const weights = ops.reshape(ops.cast(inputs.attentionMask, 'float32'), [...inputs.attentionMask.dims, 1]);
  const sum = ops.reduceSum(ops.mul(hidden, weights), { axes: [1] });
  return ops.div(sum, ops.add(ops.reduceSum(weights, { axes: [1] }), 1e-9));
}
