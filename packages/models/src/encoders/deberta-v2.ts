/**
 * DeBERTa-v2 and v3 (He et al., arXiv:2006.03654 and 2111.09543): disentangled attention over content and relative
 * position. Follows transformers, models/deberta_v2/modeling_deberta_v2.py.
 */
import { attention, type Dim, ops, type Value } from 'onnx-grad';
import { type Activation, activate, activationNames } from '../activations.ts';
import type { Backbone, BaseConfig, ModelInputs, WantedTokens } from '../backbone.ts';
import { countLabels, paddingId, readConfig } from '../config.ts';
import { embedding, firstTokens, layerNorm, linear, mergeHeads, paddingBias, splitHeads } from '../layers.ts';
import type { Scope } from '../scope.ts';
import { convolution } from './deberta-convolution.ts';
import { type RelativePositions, relativeBiases, relativePositions } from './deberta-positions.ts';

export type PositionTerm = 'c2p' | 'p2c';

export interface DebertaConfig extends BaseConfig {
  readonly heads: number;
  readonly intermediateSize: number;
  readonly embeddingSize: number;
  readonly attentionDropout: number;
  readonly poolerDropout: number;
  readonly poolerActivation: Activation;
  readonly classifierDropout: number;
  readonly maxPositions: number;
  /** Whether absolute positions are added to the embeddings. */
  readonly positionBiasedInput: boolean;
  readonly relativeAttention: boolean;
  /** Which terms of relative position the scores have: content to position, position to content. */
  readonly positionTerms: readonly PositionTerm[];
  /** Whether positions use the contents' query and key projections. */
  readonly shareAttentionKey: boolean;
  /** The farthest distance told apart. */
  readonly maxRelativePositions: number;
  /** Distances beyond half of it share logarithmic buckets; -1 for one bucket a distance. */
  readonly positionBuckets: number;
  readonly normRelative: boolean;
  /** Width of the convolution beside the first layer (v2-xlarge), 0 for none. */
  readonly convolutionSize: number;
  readonly convolutionGroups: number;
  readonly convolutionActivation: Activation;
  /** Which masked-LM head: the older one with a decoder, or lm_predictions. */
  readonly legacy: boolean;
}

export function parseDebertaConfig(json: Readonly<Record<string, unknown>>, file?: string): DebertaConfig {
  const config = readConfig(json, file);
  const hiddenSize = config.integer('hidden_size', { min: 1, max: 65_536 }, 1536);
  const heads = config.integer('num_attention_heads', { min: 1, max: 1024 }, 24);
  if (hiddenSize % heads !== 0) config.fail('num_attention_heads', `a divisor of hidden_size (${hiddenSize})`);
  const hiddenDropout = config.number('hidden_dropout_prob', { min: 0, max: 0.99 }, 0.1);
  const maxPositions = config.integer('max_position_embeddings', { min: 1, max: 1_048_576 }, 512);
  const maxRelative = config.integer('max_relative_positions', { min: -1, max: 1_048_576 }, -1);
  const positionBiasedInput = config.boolean('position_biased_input', true);
  const convolutionSize = config.integer('conv_kernel_size', { min: 0, max: 63 }, 0);
  if (convolutionSize > 0 && convolutionSize % 2 === 0) config.fail('conv_kernel_size', 'an odd number');
  const normKinds = config.names('norm_rel_ebd', ['none', 'layer_norm'] as const, ['none']);
  const vocabSize = config.integer('vocab_size', { min: 1, max: 4_000_000 }, 128_100);
  return {
    vocabSize,
    hiddenSize,
    heads,
    hiddenDropout,
    maxPositions,
    positionBiasedInput,
    convolutionSize,
    maxLength: positionBiasedInput ? maxPositions : null,
    layers: config.integer('num_hidden_layers', { min: 1, max: 256 }, 24),
    intermediateSize: config.integer('intermediate_size', { min: 1, max: 262_144 }, 6144),
    embeddingSize: config.integer('embedding_size', { min: 1, max: 65_536 }, hiddenSize),
    hiddenActivation: config.choice<Activation>('hidden_act', activationNames, 'gelu'),
    attentionDropout: config.number('attention_probs_dropout_prob', { min: 0, max: 0.99 }, 0.1),
    poolerDropout: config.number('pooler_dropout', { min: 0, max: 0.99 }, 0),
    poolerActivation: config.choice<Activation>('pooler_hidden_act', activationNames, 'gelu'),
    classifierDropout: config.number('cls_dropout', { min: 0, max: 0.99 }, hiddenDropout),
    typeVocabSize: config.integer('type_vocab_size', { min: 0, max: 1024 }, 0),
    layerNormEpsilon: config.number('layer_norm_eps', { min: 0, max: 1 }, 1e-7),
    initializerRange: config.number('initializer_range', { min: 0, max: 10 }, 0.02),
    relativeAttention: config.boolean('relative_attention', false),
    positionTerms: config.names<PositionTerm>('pos_att_type', ['c2p', 'p2c'], []),
    shareAttentionKey: config.boolean('share_att_key', false),
    maxRelativePositions: maxRelative < 1 ? maxPositions : maxRelative,
    positionBuckets: config.integer('position_buckets', { min: -1, max: 1_048_576 }, -1),
    normRelative: normKinds.includes('layer_norm'),
    convolutionGroups: config.integer('conv_groups', { min: 1, max: 65_536 }, 1),
    convolutionActivation: config.choice<Activation>('conv_act', activationNames, 'tanh'),
    padTokenId: paddingId(json, config, vocabSize),
    legacy: config.boolean('legacy', true),
    labels: countLabels(json, config),
  };
}

function embed(scope: Scope, inputs: ModelInputs, isReal: Value, config: DebertaConfig): Value {
  const at = 'deberta.embeddings';
  const { embeddingSize, hiddenSize } = config;
  const vocabulary = { rows: config.vocabSize, size: embeddingSize, paddingId: config.padTokenId };
  let sum = embedding(scope, inputs.inputIds, `${at}.word_embeddings`, vocabulary);
  if (config.positionBiasedInput) {
    const table = scope.parameter(`${at}.position_embeddings.weight`, [config.maxPositions, embeddingSize]);
    sum = ops.add(sum, ops.slice(table, { axis: 0, end: inputs.inputIds.dims[1]! }));
  }
  if (inputs.tokenTypeIds) {
    const kinds = { rows: config.typeVocabSize, size: embeddingSize };
    sum = ops.add(sum, embedding(scope, inputs.tokenTypeIds, `${at}.token_type_embeddings`, kinds));
  }
  let x = ops.flatten2d(sum);
  if (embeddingSize !== hiddenSize) x = linear(scope, x, `${at}.embed_proj`, hiddenSize, { bias: false });
  const normed = layerNorm(scope, x, `${at}.LayerNorm`, config.layerNormEpsilon);
  return scope.dropout(ops.mul(normed, isReal), config.hiddenDropout, at);
}

/** One layer; with `wanted` 'one' from (B·T, E) to (B, E). */
function layer(
  scope: Scope,
  x: Value,
  padding: Value,
  positions: RelativePositions | null,
  at: string,
  config: DebertaConfig,
  wanted: WantedTokens,
): Value {
  const { heads, hiddenSize, hiddenDropout, layerNormEpsilon, positionTerms } = config;
  const [batch, , , length] = padding.dims as [Dim, 1, 1, Dim];
  const asking = wanted === 'one' ? firstTokens(x, batch, length) : x;
  const askingLength = wanted === 'one' ? 1 : length;
  const self = `${at}.attention.self`;
  const query = splitHeads(linear(scope, asking, `${self}.query_proj`, hiddenSize), batch, askingLength, heads);
  const key = splitHeads(linear(scope, x, `${self}.key_proj`, hiddenSize), batch, length, heads);
  const value = splitHeads(linear(scope, x, `${self}.value_proj`, hiddenSize), batch, length, heads);
  const scale = 1 / Math.sqrt((hiddenSize / heads) * (1 + positionTerms.length));
  const relative = positions ? relativeBiases(scope, { query, key, positions, scale, at: self, config }) : [];
  const context = attention(query, key, value, {
    scale,
    biases: [...relative, padding],
    dropoutMask: scope.dropoutMask([batch, heads, askingLength, length], config.attentionDropout, self),
  });
  const attended = linear(scope, mergeHeads(context), `${at}.attention.output.dense`, hiddenSize);
  const first = ops.add(scope.dropout(attended, hiddenDropout, `${at}.attention.output`), asking);
  const middle = layerNorm(scope, first, `${at}.attention.output.LayerNorm`, layerNormEpsilon);
  const inner = linear(scope, middle, `${at}.intermediate.dense`, config.intermediateSize);
  const outer = linear(scope, activate(config.hiddenActivation, inner), `${at}.output.dense`, hiddenSize);
  const second = ops.add(scope.dropout(outer, hiddenDropout, `${at}.output`), middle);
  return layerNorm(scope, second, `${at}.output.LayerNorm`, layerNormEpsilon);
}

export const debertaV2: Backbone<DebertaConfig> = {
  modelType: 'deberta-v2',
  className: 'DebertaV2',
  prefix: 'deberta',
  languageModel: 'masked-lm',
  heads: ['pooler', 'classifier', 'cls', 'lm_predictions', 'mask_predictions', 'qa_outputs'],
  idle: ['cls.predictions.decoder', 'encoder.LayerNorm'], // a tied copy; the norm of relative embeddings without them
  parseConfig: parseDebertaConfig,

  encode(scope, inputs, config, wanted) {
    const isReal = ops.reshape(ops.cast(inputs.attentionMask, 'float32'), [-1, 1]); // (B·T, 1)
    const padding = paddingBias(inputs.attentionMask);
    const embedded = embed(scope, inputs, isReal, config);
    const positions = config.relativeAttention ? relativePositions(scope, inputs.inputIds.dims[1]!, config) : null;
    let x = embedded;
    for (let index = 0; index < config.layers; index++) {
      const isConvolved = index === 0 && config.convolutionSize > 0;
      const tokens = index === config.layers - 1 && !isConvolved ? wanted : 'all';
      const at = `deberta.encoder.layer.${index}`;
      x = scope.layer([x], ([hidden]) => layer(scope, hidden!, padding, positions, at, config, tokens));
      if (isConvolved) x = convolution(scope, embedded, x, isReal, inputs.inputIds.dims, config);
    }
    const [batch, length] = inputs.inputIds.dims as [Dim, Dim];
    return wanted === 'one' && x.dims[0] !== batch ? firstTokens(x, batch, length) : x;
  },

  classify(scope, pooled, config) {
    const context = scope.dropout(pooled, config.poolerDropout, 'pooler');
    const active = activate(config.poolerActivation, linear(scope, context, 'pooler.dense', config.hiddenSize));
    return linear(scope, scope.dropout(active, config.classifierDropout, 'classifier'), 'classifier', config.labels);
  },

  predictTokens(scope, hidden, config) {
    const at = config.legacy ? 'cls.predictions.transform' : 'lm_predictions.lm_head';
    const size = config.legacy ? config.embeddingSize : config.hiddenSize;
    const active = activate(config.hiddenActivation, linear(scope, hidden, `${at}.dense`, size));
    const normed = layerNorm(scope, active, `${at}.LayerNorm`, config.layerNormEpsilon);
    const words = scope.parameter('deberta.embeddings.word_embeddings.weight', [config.vocabSize, size]);
    const name = config.legacy ? 'cls.predictions.bias' : 'lm_predictions.lm_head.bias';
    return ops.gemm(normed, words, scope.parameter(name, [config.vocabSize], 'zeros'), { transB: true });
  },
};
