/**
 * DistilBERT (Sanh et al. 2019, arXiv:1910.01108): BERT without token types and with half the layers.
 * Follows transformers, models/distilbert/modeling_distilbert.py.
 */
import { ops } from 'onnx-grad';
import { type Activation, activate, activationNames } from '../activations.ts';
import type { Backbone } from '../backbone.ts';
import { countLabels, paddingId, readConfig } from '../config.ts';
import { layerNorm, linear } from '../layers.ts';
import {
  countedPositions,
  decode,
  embedTokens,
  type LayerNames,
  type PostNormConfig,
  postNormLayers,
} from './post-norm.ts';

const EPSILON = 1e-12; // of every norm, modeling_distilbert.py

const layerNames: LayerNames = {
  self: 'attention',
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attended: 'attention.out_lin',
  attendedNorm: 'sa_layer_norm',
  inner: 'ffn.lin1',
  outer: 'ffn.lin2',
  outerNorm: 'output_layer_norm',
  dropsAttended: false,
};

/** The same as BERT's under other names. `sinusoidal_pos_embds` only says how training once began. */
export function parseDistilbertConfig(json: Readonly<Record<string, unknown>>, file?: string): PostNormConfig {
  const config = readConfig(json, file);
  const hiddenSize = config.integer('dim', { min: 1, max: 65_536 }, 768);
  const heads = config.integer('n_heads', { min: 1, max: 1024 }, 12);
  if (hiddenSize % heads !== 0) config.fail('n_heads', `a divisor of dim (${hiddenSize})`);
  const vocabSize = config.integer('vocab_size', { min: 1, max: 4_000_000 }, 30_522);
  const maxPositions = config.integer('max_position_embeddings', { min: 1, max: 1_048_576 }, 512);
  return {
    vocabSize,
    hiddenSize,
    heads,
    maxPositions,
    maxLength: maxPositions,
    layers: config.integer('n_layers', { min: 1, max: 256 }, 6),
    intermediateSize: config.integer('hidden_dim', { min: 1, max: 262_144 }, 3072),
    hiddenActivation: config.choice<Activation>('activation', activationNames, 'gelu'),
    hiddenDropout: config.number('dropout', { min: 0, max: 0.99 }, 0.1),
    attentionDropout: config.number('attention_dropout', { min: 0, max: 0.99 }, 0.1),
    classifierDropout: config.number('seq_classif_dropout', { min: 0, max: 0.99 }, 0.2),
    typeVocabSize: 0,
    layerNormEpsilon: EPSILON,
    initializerRange: config.number('initializer_range', { min: 0, max: 10 }, 0.02),
    padTokenId: paddingId(json, config, vocabSize),
    tieWords: config.boolean('tie_word_embeddings', true),
    labels: countLabels(json, config),
  };
}

export const distilbert: Backbone<PostNormConfig> = {
  modelType: 'distilbert',
  className: 'DistilBert',
  prefix: 'distilbert',
  languageModel: 'masked-lm',
  heads: ['pre_classifier', 'classifier', 'vocab_transform', 'vocab_layer_norm', 'vocab_projector', 'qa_outputs'],
  idle: ['vocab_projector.weight'], // a tied copy
  parseConfig: parseDistilbertConfig,

  encode(scope, inputs, config, wanted) {
    const at = 'distilbert.embeddings';
    const positions = countedPositions(scope, inputs, config.maxPositions, config.hiddenSize, at);
    const embedded = embedTokens(scope, inputs, config, { at, size: config.hiddenSize, positions });
    const layers = { at: 'distilbert.transformer.layer', names: layerNames, wanted };
    return postNormLayers(scope, embedded, inputs, config, layers);
  },

  classify(scope, firstToken, { hiddenSize, labels, classifierDropout }) {
    const active = ops.relu(linear(scope, firstToken, 'pre_classifier', hiddenSize));
    return linear(scope, scope.dropout(active, classifierDropout, 'classifier'), 'classifier', labels);
  },

  predictTokens(scope, hidden, config) {
    const active = activate(config.hiddenActivation, linear(scope, hidden, 'vocab_transform', config.hiddenSize));
    return decode(scope, layerNorm(scope, active, 'vocab_layer_norm', EPSILON), config, {
      words: 'distilbert.embeddings.word_embeddings.weight',
      weight: 'vocab_projector.weight',
      tiedBias: 'vocab_projector.bias',
      untiedBias: 'vocab_projector.bias',
    });
  },
};
