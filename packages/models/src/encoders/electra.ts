/**
 * ELECTRA (Clark et al. 2020, arXiv:2003.10555), discriminator and generator: BERT with narrower embeddings.
 * Follows transformers, models/electra/modeling_electra.py.
 */
import { ops } from 'onnx-grad';
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

interface ElectraConfig extends PostNormConfig {
  readonly embeddingSize: number;
}

const defaults = { vocabSize: 30_522, hiddenSize: 256, heads: 4, intermediateSize: 1024, padTokenId: 0 };

export function parseElectraConfig(json: Readonly<Record<string, unknown>>, file?: string): ElectraConfig {
  const { config, reader } = parsePostNormConfig(json, file, defaults);
  return { ...config, embeddingSize: reader.integer('embedding_size', { min: 1, max: 65_536 }, 128) };
}

export const electra: Backbone<ElectraConfig> = {
  modelType: 'electra',
  className: 'Electra',
  prefix: 'electra',
  languageModel: 'masked-lm',
  heads: ['classifier', 'generator_predictions', 'generator_lm_head', 'discriminator_predictions', 'qa_outputs'],
  idle: ['generator_lm_head.weight'], // a tied copy

  parseConfig: parseElectraConfig,

  encode(scope, inputs, config, wanted) {
    const at = 'electra.embeddings';
    const { embeddingSize: size, hiddenSize } = config;
    const positions = countedPositions(scope, inputs, config.maxPositions, size, at);
    const narrow = embedTokens(scope, inputs, config, { at, size, positions });
    const embedded = size === hiddenSize ? narrow : linear(scope, narrow, 'electra.embeddings_project', hiddenSize);
    return postNormLayers(scope, embedded, inputs, config, { at: 'electra.encoder.layer', wanted });
  },

  classify(scope, firstToken, { hiddenSize, labels, classifierDropout }) {
    const first = scope.dropout(firstToken, classifierDropout, 'classifier.dense');
    const active = ops.gelu(linear(scope, first, 'classifier.dense', hiddenSize)); // whatever hidden_act is
    const second = scope.dropout(active, classifierDropout, 'classifier.out_proj');
    return linear(scope, second, 'classifier.out_proj', labels);
  },

  /** The generator's head. */
  predictTokens(scope, hidden, config) {
    const at = 'generator_predictions';
    const active = ops.gelu(linear(scope, hidden, `${at}.dense`, config.embeddingSize));
    const normed = layerNorm(scope, active, `${at}.LayerNorm`, config.layerNormEpsilon);
    return decode(scope, normed, config, {
      words: 'electra.embeddings.word_embeddings.weight',
      weight: 'generator_lm_head.weight',
      tiedBias: 'generator_lm_head.bias',
      untiedBias: 'generator_lm_head.bias',
    });
  },
};
