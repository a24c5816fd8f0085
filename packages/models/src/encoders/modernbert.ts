/**
 * ModernBERT (Warner et al. 2024, arXiv:2412.13663), Ettin included: rotary positions, gated feed-forward parts, norms
 * before each part, and attention that in most layers reaches only near tokens (local-attention.ts).
 * Follows transformers, models/modernbert/modeling_modernbert.py.
 */
import { attention, type Dim, ops, type Value } from 'onnx-grad';
import { type Activation, activate, activationNames } from '../activations.ts';
import type { Backbone, BaseConfig, WantedTokens } from '../backbone.ts';
import { type ConfigReader, countLabels, paddingId, readConfig } from '../config.ts';
import { isObject } from '../files/json.ts';
import {
  embedding,
  firstTokens,
  layerNorm,
  linear,
  linearParts,
  mergeHeads,
  paddingBias,
  splitHeads,
} from '../layers.ts';
import { type Angles, rotaryAngles, rotaryFrequencies } from '../rotary.ts';
import type { Scope } from '../scope.ts';
import { type Locality, localAttention, localityOf } from './local-attention.ts';

const layerTypes = ['full_attention', 'sliding_attention'] as const;
type LayerType = (typeof layerTypes)[number];

export interface ModernBertConfig extends BaseConfig {
  readonly heads: number;
  readonly intermediateSize: number;
  readonly layerTypes: readonly LayerType[];
  /** Base of the rotary angles. */
  readonly thetas: Readonly<Record<LayerType, number>>;
  /** How far a token sees in layers of sliding attention. */
  readonly reach: number;
  readonly attentionDropout: number;
  readonly mlpDropout: number;
  readonly classifierDropout: number;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly normBias: boolean;
  readonly classifierBias: boolean;
  readonly decoderBias: boolean;
  readonly classifierActivation: Activation;
  readonly classifierPooling: 'one' | 'mean';
  /** Whether the masked-LM head reads the word embeddings. */
  readonly tieWords: boolean;
}

export function parseModernBertConfig(json: Readonly<Record<string, unknown>>, file?: string): ModernBertConfig {
  const config = readConfig(json, file);
  const hiddenSize = config.integer('hidden_size', { min: 1, max: 65_536 }, 768);
  const heads = config.integer('num_attention_heads', { min: 1, max: 1024 }, 12);
  if (hiddenSize % (2 * heads) !== 0) {
    config.fail('num_attention_heads', `hidden_size (${hiddenSize}) divided into heads of even size`);
  }
  const vocabSize = config.integer('vocab_size', { min: 1, max: 4_000_000 }, 50_368);
  const layers = config.integer('num_hidden_layers', { min: 1, max: 256 }, 22);
  const probability = { min: 0, max: 0.99 };
  return {
    vocabSize,
    hiddenSize,
    heads,
    layers,
    layerTypes: readLayerTypes(config, layers, json.layer_types),
    thetas: {
      full_attention: readTheta(json, config, 'full_attention', 'global_rope_theta', 160_000),
      sliding_attention: readTheta(json, config, 'sliding_attention', 'local_rope_theta', 10_000),
    },
    reach: Math.floor(config.integer('local_attention', { min: 2, max: 1_048_576 }, 128) / 2),
    intermediateSize: config.integer('intermediate_size', { min: 1, max: 262_144 }, 1152),
    hiddenActivation: config.choice<Activation>('hidden_activation', activationNames, 'gelu'),
    hiddenDropout: config.number('embedding_dropout', probability, 0),
    attentionDropout: config.number('attention_dropout', probability, 0),
    mlpDropout: config.number('mlp_dropout', probability, 0),
    classifierDropout: config.number('classifier_dropout', probability, 0),
    attentionBias: config.boolean('attention_bias', false),
    mlpBias: config.boolean('mlp_bias', false),
    normBias: config.boolean('norm_bias', false),
    classifierBias: config.boolean('classifier_bias', false),
    decoderBias: config.boolean('decoder_bias', true),
    classifierActivation: config.choice<Activation>('classifier_activation', activationNames, 'gelu'),
    classifierPooling: config.choice('classifier_pooling', ['cls', 'mean'], 'cls') === 'mean' ? 'mean' : 'one',
    tieWords: config.boolean('tie_word_embeddings', true),
    maxLength: null,
    typeVocabSize: 0,
    layerNormEpsilon: config.number('norm_eps', { min: 0, max: 1 }, 1e-5),
    initializerRange: config.number('initializer_range', { min: 0, max: 10 }, 0.02),
    padTokenId: paddingId(json, config, vocabSize, 50_283),
    labels: countLabels(json, config),
  };
}

/** As transformers 5 writes them, layer by layer; in published files every n-th layer sees the whole text. */
function readLayerTypes(config: ConfigReader, layers: number, listed: unknown): readonly LayerType[] {
  if (listed === undefined || listed === null) {
    const every = config.integer('global_attn_every_n_layers', { min: 1, max: 256 }, 3);
    return Array.from({ length: layers }, (_, layer) => (layer % every === 0 ? 'full_attention' : 'sliding_attention'));
  }
  const types = config.names<LayerType>('layer_types', layerTypes, []);
  return types.length === layers ? types : config.fail('layer_types', `${layers} entries, one a layer`);
}

/** `rope_parameters` of transformers 5 has the angles by kind of layer, published files have a field each. */
function readTheta(
  json: Readonly<Record<string, unknown>>,
  config: ConfigReader,
  type: LayerType,
  published: string,
  fallback: number,
): number {
  const limits = { min: 1, max: 1e12 };
  if (json.rope_scaling !== undefined && json.rope_scaling !== null) config.fail('rope_scaling', 'null');
  const all = json.rope_parameters ?? {};
  const own = isObject(all) ? (all[type] ?? {}) : config.fail('rope_parameters', 'an object');
  if (!isObject(own)) return config.fail('rope_parameters', `an object for ${type}`);
  const kind = own.rope_type ?? own.type ?? 'default';
  if (kind !== 'default') config.fail('rope_parameters', `rope_type "default" for ${type}`);
  if (own.rope_theta === undefined) return config.number(published, limits, fallback);
  return readConfig(own).number('rope_theta', limits);
}

/** What the layers of one kind share. */
interface Surroundings {
  readonly angles: Angles;
  /** (B, 1, 1, T) */
  readonly padding: Value;
  /** `null` where every token sees all. */
  readonly locality: Locality | null;
}

/** x + attention(norm(x)); with `wanted` 'one' from (B·T, E) to (B, E). */
function attend(
  scope: Scope,
  x: Value,
  at: string,
  config: ModernBertConfig,
  { angles, padding, locality }: Surroundings,
  wanted: WantedTokens,
): Value {
  const { heads, hiddenSize, attentionDropout, attentionBias, layerNormEpsilon, normBias } = config;
  const [batch, , , length] = padding.dims as [Dim, 1, 1, Dim];
  const isFirst = wanted === 'one';
  const isUnnormed = at.endsWith('.0'); // the embeddings are normed
  const normed = isUnnormed ? x : layerNorm(scope, x, `${at}.attn_norm`, layerNormEpsilon, { bias: normBias });
  const shape = { inputSize: hiddenSize, size: hiddenSize, parts: 3, bias: attentionBias };
  const [toQuery, toKey, toValue] = linearParts(scope, `${at}.attn.Wqkv`, shape) as [Part, Part, Part];
  const rotate = (values: Value) => ops.rotaryEmbedding(values, angles.cosine, angles.sine);
  const key = rotate(splitHeads(toKey(normed), batch, length, heads));
  const value = splitHeads(toValue(normed), batch, length, heads);
  const query = isFirst // at position 0, where every angle is 0
    ? splitHeads(toQuery(firstTokens(normed, batch, length)), batch, 1, heads)
    : rotate(splitHeads(toQuery(normed), batch, length, heads));
  const scale = 1 / Math.sqrt(hiddenSize / heads);
  const name = `${at}.attn`;
  const context = locality
    ? localAttention(scope, [query, key, value], locality, { scale, dropout: attentionDropout, name })
    : attention(query, key, value, {
        scale,
        biases: [padding],
        dropoutMask: scope.dropoutMask([batch, heads, query.dims[2]!, length], attentionDropout, name),
      });
  const attended = linear(scope, mergeHeads(context), `${at}.attn.Wo`, hiddenSize, { bias: attentionBias });
  const kept = scope.dropout(attended, attentionDropout, `${at}.attn.Wo`);
  return ops.add(isFirst ? firstTokens(x, batch, length) : x, kept);
}

type Part = (x: Value) => Value;

/** x + Wo(act(a) ∘ b), a and b two projections of norm(x). */
function feedForward(scope: Scope, x: Value, at: string, config: ModernBertConfig): Value {
  const { hiddenSize, intermediateSize, mlpBias: bias, normBias } = config;
  const normed = layerNorm(scope, x, `${at}.mlp_norm`, config.layerNormEpsilon, { bias: normBias });
  const shape = { inputSize: hiddenSize, size: intermediateSize, parts: 2, bias };
  const [toInput, toGate] = linearParts(scope, `${at}.mlp.Wi`, shape) as [Part, Part];
  const gated = ops.mul(activate(config.hiddenActivation, toInput(normed)), toGate(normed));
  const dropped = scope.dropout(gated, config.mlpDropout, `${at}.mlp`);
  return ops.add(x, linear(scope, dropped, `${at}.mlp.Wo`, hiddenSize, { bias }));
}

/** norm(act(dense(x))), before either head's last projection. */
function predictionHead(scope: Scope, x: Value, config: ModernBertConfig): Value {
  const { hiddenSize, classifierBias, classifierActivation, layerNormEpsilon, normBias } = config;
  const dense = linear(scope, x, 'head.dense', hiddenSize, { bias: classifierBias });
  const active = activate(classifierActivation, dense);
  return layerNorm(scope, active, 'head.norm', layerNormEpsilon, { bias: normBias });
}

const WORDS = 'model.embeddings.tok_embeddings';

export const modernbert: Backbone<ModernBertConfig> = {
  modelType: 'modernbert',
  className: 'ModernBert',
  prefix: 'model',
  languageModel: 'masked-lm',
  heads: ['head', 'classifier', 'decoder'],
  idle: ['decoder.weight'], // a tied copy
  parseConfig: parseModernBertConfig,

  encode(scope, { inputIds, attentionMask }, config, wanted) {
    const { vocabSize, hiddenSize, heads, padTokenId, thetas, layerNormEpsilon, normBias: bias } = config;
    const length = inputIds.dims[1]!;
    const vocabulary = { rows: vocabSize, size: hiddenSize, paddingId: padTokenId };
    const words = ops.flatten2d(embedding(scope, inputIds, WORDS, vocabulary));
    const normed = layerNorm(scope, words, 'model.embeddings.norm', layerNormEpsilon, { bias });
    let x = scope.dropout(normed, config.hiddenDropout, 'model.embeddings');
    const padding = paddingBias(attentionMask);
    const angles = (type: LayerType) => {
      const frequencies = rotaryFrequencies(hiddenSize / heads, thetas[type]);
      return rotaryAngles(scope, length, scope.graph.constant(frequencies, [1, frequencies.length]));
    };
    const surroundings: Record<LayerType, Surroundings> = {
      full_attention: { padding, angles: angles('full_attention'), locality: null },
      sliding_attention: {
        padding,
        angles: angles('sliding_attention'),
        locality: localityOf(attentionMask, config.reach),
      },
    };
    config.layerTypes.forEach((type, index) => {
      const at = `model.layers.${index}`;
      const tokens = index === config.layers - 1 ? wanted : 'all';
      x = scope.layer([x], ([hidden]) => {
        return feedForward(scope, attend(scope, hidden!, at, config, surroundings[type], tokens), at, config);
      });
    });
    return layerNorm(scope, x, 'model.final_norm', layerNormEpsilon, { bias });
  },

  classifierPooling: ({ classifierPooling }) => classifierPooling,

  classify(scope, pooled, config) {
    const head = scope.dropout(predictionHead(scope, pooled, config), config.classifierDropout, 'classifier');
    return linear(scope, head, 'classifier', config.labels);
  },

  predictTokens(scope, hidden, config) {
    const { vocabSize, hiddenSize, decoderBias, tieWords } = config;
    const words = scope.parameter(tieWords ? `${WORDS}.weight` : 'decoder.weight', [vocabSize, hiddenSize]);
    const bias = decoderBias ? scope.parameter('decoder.bias', [vocabSize], 'zeros') : null;
    return ops.gemm(predictionHead(scope, hidden, config), words, bias, { transB: true });
  },
};
