/** A model: an encoder or decoder with a head, built once into a graph for training or for use. */
import { ConfigError, createGraph, type Dim, type Graph, ops, type Value } from 'onnx-grad';
import { type Backbone, type BaseConfig, declareInputs, type LanguageModel, type ModelInputs } from './backbone.ts';
import { backboneFor } from './backbones.ts';
import { readCategoryNames } from './categories.ts';
import { linear } from './layers.ts';
import { type Precision, Scope } from './scope.ts';

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
  /** What the layers' products are computed in; int8 is for training on the CPU and for looking at what it trains. Default float32. */
  readonly precision?: Precision;
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
  const { output, categories = null } = heads[options.head](scope, backbone, inputs, config, categoryNames.length);
  return { graph, scope, backbone, config, inputs, output, categories, categoryNames };
}

function expectHead({ head, file = 'config.json' }: BuildOptions, { modelType, languageModel }: Backbone): void {
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
  categoryCount: number,
) => { readonly output: Value; readonly categories?: Value };

const heads: Record<Head, BuildHead> = {
  'sequence-classification': (scope, backbone, inputs, config, categoryCount) => {
    const isMean = backbone.classifierPooling?.(config) === 'mean';
    const pooled = isMean ? encodeMean(scope, backbone, inputs, config) : backbone.encode(scope, inputs, config, 'one');
    const output = backbone.classify(scope, pooled, config);
    return categoryCount === 0
      ? { output }
      : { output, categories: linear(scope, pooled, CATEGORY_HEAD, categoryCount) };
  },

  'masked-lm': predictEveryToken,
  'causal-lm': predictEveryToken,
  'mean-pooling': (scope, backbone, inputs, config) => ({ output: encodeMean(scope, backbone, inputs, config) }),

  none: (scope, backbone, inputs, config) => {
    const hidden = backbone.encode(scope, inputs, config, 'all');
    return { output: ops.reshape(hidden, [...inputs.inputIds.dims, config.hiddenSize]) };
  },
};

function predictEveryToken(scope: Scope, backbone: Backbone, inputs: ModelInputs, config: BaseConfig) {
  const logits = backbone.predictTokens(scope, backbone.encode(scope, inputs, config, 'all'), config);
  return { output: ops.reshape(logits, [...inputs.inputIds.dims, config.vocabSize]) };
}

/** Mean of the last hidden states over real tokens, as sentence-transformers has it: (B, E). */
function encodeMean(scope: Scope, backbone: Backbone, inputs: ModelInputs, config: BaseConfig): Value {
  const [batch, length] = inputs.inputIds.dims as [Dim, Dim];
  const hidden = ops.reshape(backbone.encode(scope, inputs, config, 'all'), [batch, length, config.hiddenSize]);
  const weights = ops.reshape(ops.cast(inputs.attentionMask, 'float32'), [batch, length, 1]);
  const sum = ops.reduceSum(ops.mul(hidden, weights), { axes: [1] });
  return ops.div(sum, ops.add(ops.reduceSum(weights, { axes: [1] }), 1e-9));
}
