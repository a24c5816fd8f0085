/**
 * What BERT, RoBERTa, XLM-RoBERTa, ELECTRA and DistilBERT share: token, type and position embeddings summed and normed,
 * then layers that norm after each sum. They differ in the names of weights and in where positions come from.
 */
import { attention, type Dim, ops, type Value } from 'onnx-grad';
import { type Activation, activate, activationNames } from '../activations.ts';
import type { BaseConfig, ModelInputs, WantedTokens } from '../backbone.ts';
import { type ConfigReader, countLabels, paddingId, readConfig } from '../config.ts';
import { embedding, firstTokens, layerNorm, linear, mergeHeads, paddingBias, splitHeads } from '../layers.ts';
import type { Scope } from '../scope.ts';

/** What a layer needs to know. */
export interface PostNormConfig extends BaseConfig {
  readonly heads: number;
  readonly intermediateSize: number;
  readonly attentionDropout: number;
  readonly classifierDropout: number;
  /** Rows of the table of positions. */
  readonly maxPositions: number;
  readonly maxLength: number;
  /** Whether the masked-LM head reads the word embeddings. */
  readonly tieWords: boolean;
}

/** Values that a config.json may leave out. */
export interface PostNormDefaults {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly intermediateSize: number;
  readonly padTokenId: number;
}

/** The fields of BERT's config.json, which RoBERTa and ELECTRA took over. */
export function parsePostNormConfig(
  json: Readonly<Record<string, unknown>>,
  file: string | undefined,
  defaults: PostNormDefaults,
): { config: PostNormConfig; reader: ConfigReader } {
  const reader = readConfig(json, file);
  const hiddenSize = reader.integer('hidden_size', { min: 1, max: 65_536 }, defaults.hiddenSize);
  const heads = reader.integer('num_attention_heads', { min: 1, max: 1024 }, defaults.heads);
  if (hiddenSize % heads !== 0) reader.fail('num_attention_heads', `a divisor of hidden_size (${hiddenSize})`);
  if (json.is_decoder === true) reader.fail('is_decoder', 'false (an encoder)');
  const positions = json.position_embedding_type ?? 'absolute';
  if (positions !== 'absolute') reader.fail('position_embedding_type', '"absolute"');
  const hiddenDropout = reader.number('hidden_dropout_prob', { min: 0, max: 0.99 }, 0.1);
  const vocabSize = reader.integer('vocab_size', { min: 1, max: 4_000_000 }, defaults.vocabSize);
  const maxPositions = reader.integer('max_position_embeddings', { min: 1, max: 1_048_576 }, 512);
  const config = {
    vocabSize,
    hiddenSize,
    heads,
    hiddenDropout,
    maxPositions,
    maxLength: maxPositions,
    layers: reader.integer('num_hidden_layers', { min: 1, max: 256 }, 12),
    intermediateSize: reader.integer('intermediate_size', { min: 1, max: 262_144 }, defaults.intermediateSize),
    hiddenActivation: reader.choice<Activation>('hidden_act', activationNames, 'gelu'),
    attentionDropout: reader.number('attention_probs_dropout_prob', { min: 0, max: 0.99 }, 0.1),
    classifierDropout: reader.number('classifier_dropout', { min: 0, max: 0.99 }, hiddenDropout),
    typeVocabSize: reader.integer('type_vocab_size', { min: 1, max: 1024 }, 2),
    layerNormEpsilon: reader.number('layer_norm_eps', { min: 0, max: 1 }, 1e-12),
    initializerRange: reader.number('initializer_range', { min: 0, max: 10 }, 0.02),
    padTokenId: paddingId(json, reader, vocabSize, defaults.padTokenId),
    tieWords: reader.boolean('tie_word_embeddings', true),
    labels: countLabels(json, reader),
  };
  return { config, reader };
}

export interface EmbeddingOptions {
  /** "bert.embeddings" */
  readonly at: string;
  /** Embedding size; the hidden size but for ELECTRA. */
  readonly size: number;
  /** (T, size) or (B, T, size) */
  readonly positions: Value;
}

/** LayerNorm(words + types + positions) with dropout, (B·T, size). */
export function embedTokens(
  scope: Scope,
  { inputIds, tokenTypeIds }: ModelInputs,
  config: PostNormConfig,
  { at, size, positions }: EmbeddingOptions,
): Value {
  const vocabulary = { rows: config.vocabSize, size, paddingId: config.padTokenId };
  let sum = embedding(scope, inputIds, `${at}.word_embeddings`, vocabulary);
  if (tokenTypeIds) {
    const kinds = { rows: config.typeVocabSize, size };
    sum = ops.add(sum, embedding(scope, tokenTypeIds, `${at}.token_type_embeddings`, kinds));
  }
  const normed = layerNorm(scope, ops.flatten2d(ops.add(sum, positions)), `${at}.LayerNorm`, config.layerNormEpsilon);
  return scope.dropout(normed, config.hiddenDropout, at);
}

/** Rows 0 to T - 1 of the table of positions. */
export function countedPositions(scope: Scope, { inputIds }: ModelInputs, rows: number, size: number, at: string) {
  const table = scope.parameter(`${at}.position_embeddings.weight`, [rows, size]);
  return ops.slice(table, { axis: 0, end: inputIds.dims[1]! });
}

/** What a layer's modules are called, after the layer's own name. */
export interface LayerNames {
  /** Where the attention's dropout is. */
  readonly self: string;
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attended: string;
  readonly attendedNorm: string;
  readonly inner: string;
  readonly outer: string;
  readonly outerNorm: string;
  /** Whether what attention gives is dropped from, before the sum. */
  readonly dropsAttended: boolean;
}

export const bertLayerNames: LayerNames = {
  self: 'attention.self',
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attended: 'attention.output.dense',
  attendedNorm: 'attention.output.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  outerNorm: 'output.LayerNorm',
  dropsAttended: true,
};

/** All layers, named `${at}.0` and so on; with `wanted` 'one' from (B·T, E) to (B, E). */
export function postNormLayers(
  scope: Scope,
  embedded: Value,
  { attentionMask }: ModelInputs,
  config: PostNormConfig,
  { at, names = bertLayerNames, wanted }: { at: string; names?: LayerNames; wanted: WantedTokens },
): Value {
  const padding = paddingBias(attentionMask);
  let x = embedded;
  for (let index = 0; index < config.layers; index++) {
    const tokens = index === config.layers - 1 ? wanted : 'all';
    x = scope.layer([x], ([hidden]) => layer(scope, hidden!, padding, `${at}.${index}`, config, names, tokens));
  }
  return x;
}

/** One layer; with `wanted` 'one' from (B·T, E) to (B, E). */
function layer(
  scope: Scope,
  x: Value,
  padding: Value,
  at: string,
  config: PostNormConfig,
  names: LayerNames,
  wanted: WantedTokens,
): Value {
  const { heads, hiddenSize, hiddenDropout, layerNormEpsilon } = config;
  const [batch, , , length] = padding.dims as [Dim, 1, 1, Dim];
  const dense = (input: Value, name: string, size = hiddenSize) => linear(scope, input, `${at}.${name}`, size);
  const asking = wanted === 'one' ? firstTokens(x, batch, length) : x;
  const askingLength = wanted === 'one' ? 1 : length;
  const query = splitHeads(dense(asking, names.query), batch, askingLength, heads);
  const key = splitHeads(dense(x, names.key), batch, length, heads);
  const value = splitHeads(dense(x, names.value), batch, length, heads);
  const context = attention(query, key, value, {
    scale: 1 / Math.sqrt(hiddenSize / heads),
    biases: [padding],
    dropoutMask: scope.dropoutMask(
      [batch, heads, askingLength, length],
      config.attentionDropout,
      `${at}.${names.self}`,
    ),
  });
  const attended = dense(mergeHeads(context), names.attended);
  const kept = names.dropsAttended ? scope.dropout(attended, hiddenDropout, `${at}.${names.attended}`) : attended;
  const middle = layerNorm(scope, ops.add(kept, asking), `${at}.${names.attendedNorm}`, layerNormEpsilon);
  const inner = activate(config.hiddenActivation, dense(middle, names.inner, config.intermediateSize));
  const outer = scope.dropout(dense(inner, names.outer), hiddenDropout, `${at}.${names.outer}`);
  return layerNorm(scope, ops.add(outer, middle), `${at}.${names.outerNorm}`, layerNormEpsilon);
}

/** Weights of a masked-LM head's last product. */
export interface DecoderNames {
  readonly words: string;
  /** Weights of its own, where the word embeddings are not tied. */
  readonly weight: string;
  /** Bias beside the word embeddings. */
  readonly tiedBias: string;
  readonly untiedBias: string;
}

/** x · wordsᵀ + bias: the vocabulary's logits from the word embeddings, or from weights of its own where not tied. */
export function decode(scope: Scope, x: Value, { vocabSize, tieWords }: PostNormConfig, names: DecoderNames): Value {
  const weight = scope.parameter(tieWords ? names.words : names.weight, [vocabSize, x.dims[1] as number]);
  const bias = scope.parameter(tieWords ? names.tiedBias : names.untiedBias, [vocabSize], 'zeros');
  return ops.gemm(x, weight, bias, { transB: true });
}
