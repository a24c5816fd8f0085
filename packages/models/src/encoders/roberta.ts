/**
 * RoBERTa (Liu et al. 2019, arXiv:1907.11692) and XLM-RoBERTa (Conneau et al. 2020, arXiv:1911.02116): BERT whose positions
 * count only real tokens and start after the padding id, which is a row of the table of positions too.
 * Follows transformers, models/roberta/modeling_roberta.py; models/xlm_roberta has the same code.
 */
import { ops, type Value } from 'onnx-grad';
import type { Backbone, ModelInputs } from '../backbone.ts';
import { embedding, layerNorm, linear } from '../layers.ts';
import type { Scope } from '../scope.ts';
import { decode, embedTokens, type PostNormConfig, parsePostNormConfig, postNormLayers } from './post-norm.ts';

interface RobertaConfig extends PostNormConfig {
  readonly padTokenId: number;
}

function parseFamilyConfig(json: Readonly<Record<string, unknown>>, file: string | undefined, vocabSize: number) {
  const defaults = { vocabSize, hiddenSize: 768, heads: 12, intermediateSize: 3072, padTokenId: 1 };
  const { config, reader } = parsePostNormConfig(json, file, defaults);
  const { padTokenId, maxPositions } = config;
  if (padTokenId === null) return reader.fail('pad_token_id', 'an id, after which positions start');
  const maxLength = maxPositions - padTokenId - 1;
  if (maxLength < 1) reader.fail('max_position_embeddings', `more than pad_token_id + 1 (${padTokenId + 1})`);
  return { ...config, padTokenId, maxLength };
}

/** padding + 1, padding + 2, … for the tokens of a row in order; padding, wherever it stands, has its own: (B, T, E). */
function positionsOf(scope: Scope, { inputIds }: ModelInputs, config: RobertaConfig, at: string): Value {
  const { padTokenId, maxPositions, hiddenSize } = config;
  const padding = scope.graph.integers([padTokenId], []);
  const isReal = ops.cast(ops.not(ops.equal(inputIds, padding)), 'int64'); // (B, T)
  const ids = ops.add(ops.mul(ops.cumSum(isReal, { axis: 1 }), isReal), padding);
  const rows = { rows: maxPositions, size: hiddenSize, paddingId: padTokenId };
  return embedding(scope, ids, `${at}.position_embeddings`, rows);
}

export function parseRobertaConfig(json: Readonly<Record<string, unknown>>, file?: string): RobertaConfig {
  return parseFamilyConfig(json, file, 50_265);
}

export function parseXlmRobertaConfig(json: Readonly<Record<string, unknown>>, file?: string): RobertaConfig {
  return parseFamilyConfig(json, file, 30_522);
}

const family = {
  prefix: 'roberta',
  languageModel: 'masked-lm', // XLM-RoBERTa's too
  heads: ['pooler', 'classifier', 'lm_head', 'qa_outputs'],
  idle: ['lm_head.bias', 'lm_head.decoder'], // tied copies

  encode(scope, inputs, config, wanted) {
    const at = 'roberta.embeddings';
    const positions = positionsOf(scope, inputs, config, at);
    const embedded = embedTokens(scope, inputs, config, { at, size: config.hiddenSize, positions });
    return postNormLayers(scope, embedded, inputs, config, { at: 'roberta.encoder.layer', wanted });
  },

  classify(scope, firstToken, { hiddenSize, labels, classifierDropout }) {
    const first = scope.dropout(firstToken, classifierDropout, 'classifier.dense');
    const active = ops.tanh(linear(scope, first, 'classifier.dense', hiddenSize));
    const second = scope.dropout(active, classifierDropout, 'classifier.out_proj');
    return linear(scope, second, 'classifier.out_proj', labels);
  },

  predictTokens(scope, hidden, config) {
    const active = ops.gelu(linear(scope, hidden, 'lm_head.dense', config.hiddenSize)); // whatever hidden_act is
    return decode(scope, layerNorm(scope, active, 'lm_head.layer_norm', config.layerNormEpsilon), config, {
      words: 'roberta.embeddings.word_embeddings.weight',
      weight: 'lm_head.decoder.weight',
      tiedBias: 'lm_head.bias',
      untiedBias: 'lm_head.decoder.bias',
    });
  },
} satisfies Partial<Backbone<RobertaConfig>>;

function familyMember(
  own: Pick<Backbone<RobertaConfig>, 'modelType' | 'className' | 'parseConfig'>,
): Backbone<RobertaConfig> {
  return { ...family, ...own };
}

export const roberta = /* @__PURE__ */ familyMember({
  modelType: 'roberta',
  className: 'Roberta',
  parseConfig: parseRobertaConfig,
});

export const xlmRoberta = /* @__PURE__ */ familyMember({
  modelType: 'xlm-roberta',
  className: 'XLMRoberta',
  parseConfig: parseXlmRobertaConfig,
});
