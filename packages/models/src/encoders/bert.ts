/**
 * BERT (Devlin et al. 2018, arXiv:1810.04805), MiniLM included: learned positions, post-norm layers.
 * Follows transformers, models/bert/modeling_bert.py.
 */
import { ops } from 'onnx-grad';
import { activate } from '../activations.ts';
import type { Backbone } from '../backbone.ts';
import { layerNorm, linear } from '../layers.ts';
import {
  countedPositions,
  decode,
  embedTokens,
  type PostNormConfig,
  parsePostNormConfig,
  postNormLayers,
} from './post-norm.ts';

const defaults = { vocabSize: 30_522, hiddenSize: 768, heads: 12, intermediateSize: 3072, padTokenId: 0 };

export function parseBertConfig(json: Readonly<Record<string, unknown>>, file?: string): PostNormConfig {
  return parsePostNormConfig(json, file, defaults).config;
}

export const bert: Backbone<PostNormConfig> = {
  modelType: 'bert',
  className: 'Bert',
  prefix: 'bert',
  languageModel: 'masked-lm',
  heads: ['pooler', 'classifier', 'cls', 'qa_outputs'],
  idle: ['cls.predictions.bias', 'cls.predictions.decoder', 'cls.seq_relationship'], // tied copies; next sentence

  parseConfig: parseBertConfig,

  encode(scope, inputs, config, wanted) {
    const at = 'bert.embeddings';
    const positions = countedPositions(scope, inputs, config.maxPositions, config.hiddenSize, at);
    const embedded = embedTokens(scope, inputs, config, { at, size: config.hiddenSize, positions });
    return postNormLayers(scope, embedded, inputs, config, { at: 'bert.encoder.layer', wanted });
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
    return decode(scope, normed, config, {
      words: 'bert.embeddings.word_embeddings.weight',
      weight: `${at}.decoder.weight`,
      tiedBias: `${at}.bias`,
      untiedBias: `${at}.decoder.bias`,
    });
  },
};
