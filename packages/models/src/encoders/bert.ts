/**
 * BERT (Devlin et al. 2018, arXiv:1810.04805), MiniLM included: learned positions, post-norm layers.
 * Follows transformers, models/bert/modeling_bert.py.
 */
import { attention, ops, type Value } from 'onnx-grad';
import { type Activation, activate, activationNames } from '../activations.ts';
import { countLabels, paddingId, readConfig } from '../config.ts';
import { embedding, firstTokens, layerNorm, linear, mergeHeads, paddingBias, splitHeads } from '../layers.ts';
import type { Scope } from '../scope.ts';
import type { BaseConfig, Encoder, EncoderInputs, WantedTokens } from './encoder.ts';

export interface BertConfig extends BaseConfig {
  readonly heads: number;
  readonly intermediateSize: number;
  readonly attentionDropout: number;
  readonly classifierDropout: number;
  /** Whether the masked-LM head reads the word embeddings. */
  readonly tieWords: boolean;
  readonly maxLength: number;
}

export function parseBertConfig(json: Readonly<Record<string, unknown>>, file?: string): BertConfig {
  const config = readConfig(json, file);
  const hiddenSize = config.integer('hidden_size', { min: 1, max: 65_536 }, 768);
  const heads = config.integer('num_attention_heads', { min: 1, max: 1024 }, 12);
  if (hiddenSize % heads !== 0) config.fail('num_attention_heads', `a divisor of hidden_size (${hiddenSize})`);
  if (json.is_decoder === true) config.fail('is_decoder', 'false (an encoder)');
  const positions = json.position_embedding_type ?? 'absolute';
  if (positions !== 'absolute') config.fail('position_embedding_type', '"absolute"');
  const hiddenDropout = config.number('hidden_dropout_prob', { min: 0, max: 0.99 }, 0.1);
  const vocabSize = config.integer('vocab_size', { min: 1, max: 4_000_000 }, 30_522);
  return {
    vocabSize,
    hiddenSize,
    heads,
    hiddenDropout,
    layers: config.integer('num_hidden_layers', { min: 1, max: 256 }, 12),
    intermediateSize: config.integer('intermediate_size', { min: 1, max: 262_144 }, 3072),
    hiddenActivation: config.choice<Activation>('hidden_act', activationNames, 'gelu'),
    attentionDropout: config.number('attention_probs_dropout_prob', { min: 0, max: 0.99 }, 0.1),
    classifierDropout: config.number('classifier_dropout', { min: 0, max: 0.99 }, hiddenDropout),
    maxLength: config.integer('max_position_embeddings', { min: 1, max: 1_048_576 }, 512),
    typeVocabSize: config.integer('type_vocab_size', { min: 1, max: 1024 }, 2),
    layerNormEpsilon: config.number('layer_norm_eps', { min: 0, max: 1 }, 1e-12),
    initializerRange: config.number('initializer_range', { min: 0, max: 10 }, 0.02),
    padTokenId: paddingId(json, config, vocabSize),
    tieWords: config.boolean('tie_word_embeddings', true),
    labels: countLabels(json, config),
  };
}

function embed(scope: Scope, { inputIds, tokenTypeIds }: EncoderInputs, config: BertConfig): Value {
  const at = 'bert.embeddings';
  const { hiddenSize } = config;
  const vocabulary = { rows: config.vocabSize, size: hiddenSize, paddingId: config.padTokenId };
  const words = embedding(scope, inputIds, `${at}.word_embeddings`, vocabulary);
  const table = scope.parameter(`${at}.position_embeddings.weight`, [config.maxLength, hiddenSize]);
  const positions = ops.slice(table, { axis: 0, end: inputIds.dims[1]! });
  const kinds = { rows: config.typeVocabSize, size: hiddenSize };
  const types = embedding(scope, tokenTypeIds!, `${at}.token_type_embeddings`, kinds);
  const sum = ops.flatten2d(ops.add(ops.add(words, types), positions)); // (B·T, E)
  const normed = layerNorm(scope, sum, `${at}.LayerNorm`, config.layerNormEpsilon);
  return scope.dropout(normed, config.hiddenDropout, at);
}

/** One layer; with `wanted` 'first' from (B·T, E) to (B, E). */
function layer(scope: Scope, x: Value, padding: Value, at: string, config: BertConfig, wanted: WantedTokens): Value {
  const { heads, hiddenSize, hiddenDropout, layerNormEpsilon } = config;
  const [batch, , , length] = padding.dims as [Value['dims'][number], 1, 1, Value['dims'][number]];
  const asking = wanted === 'first' ? firstTokens(x, batch, length) : x;
  const askingLength = wanted === 'first' ? 1 : length;
  const self = `${at}.attention.self`;
  const query = splitHeads(linear(scope, asking, `${self}.query`, hiddenSize), batch, askingLength, heads);
  const key = splitHeads(linear(scope, x, `${self}.key`, hiddenSize), batch, length, heads);
  const value = splitHeads(linear(scope, x, `${self}.value`, hiddenSize), batch, length, heads);
  const context = attention(query, key, value, {
    scale: 1 / Math.sqrt(hiddenSize / heads),
    biases: [padding],
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

export const bert: Encoder<BertConfig> = {
  modelType: 'bert',
  prefix: 'bert',
  parseConfig: parseBertConfig,

  encode(scope, inputs, config, wanted) {
    const padding = paddingBias(inputs.attentionMask);
    let x = embed(scope, inputs, config);
    for (let index = 0; index < config.layers; index++) {
      const tokens = index === config.layers - 1 ? wanted : 'all';
      x = scope.layer([x], ([hidden]) => layer(scope, hidden!, padding, `bert.encoder.layer.${index}`, config, tokens));
    }
    return x;
  },

  classify(scope, firstToken, config) {
    const pooled = ops.tanh(linear(scope, firstToken, 'bert.pooler.dense', config.hiddenSize));
    return linear(scope, scope.dropout(pooled, config.classifierDropout, 'classifier'), 'classifier', config.labels);
  },

  predictTokens(scope, hidden, config) {
    const at = 'cls.predictions';
    const dense = linear(scope, hidden, `${at}.transform.dense`, config.hiddenSize);
    const active = activate(config.hiddenActivation, dense);
    const normed = layerNorm(scope, active, `${at}.transform.LayerNorm`, config.layerNormEpsilon);
    if (!config.tieWords) return linear(scope, normed, `${at}.decoder`, config.vocabSize);
    const words = scope.parameter('bert.embeddings.word_embeddings.weight', [config.vocabSize, config.hiddenSize]);
    return ops.gemm(normed, words, scope.parameter(`${at}.bias`, [config.vocabSize], 'zeros'), { transB: true });
  },
};
