/** The fields of a decoder's config.json that Llama and Qwen2 have in common. */
import { type Activation, activationNames } from '../activations.ts';
import { type ConfigReader, countLabels, paddingId, readConfig } from '../config.ts';
import type { DecoderConfig } from './decoder.ts';
import { readRotary } from './rotary-scaling.ts';

export interface DecoderDefaults {
  readonly vocabSize: number;
  readonly intermediateSize: number;
  readonly maxPositions: number;
  /** `null`: as many as heads of queries. */
  readonly keyHeads: number | null;
}

/** Everything but what the families have of their own. @throws FormatError for a field out of range */
export function parseDecoderConfig(
  json: Readonly<Record<string, unknown>>,
  file: string | undefined,
  defaults: DecoderDefaults,
): { config: Omit<DecoderConfig, 'windows' | 'biases'>; reader: ConfigReader } {
  const reader = readConfig(json, file);
  const hiddenSize = reader.integer('hidden_size', { min: 1, max: 65_536 }, 4096);
  const heads = reader.integer('num_attention_heads', { min: 1, max: 1024 }, 32);
  if (hiddenSize % heads !== 0) reader.fail('num_attention_heads', `a divisor of hidden_size (${hiddenSize})`);
  const keyHeads = reader.integer('num_key_value_heads', { min: 1, max: heads }, defaults.keyHeads ?? heads);
  if (heads % keyHeads !== 0) reader.fail('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  const headSize = reader.integer('head_dim', { min: 2, max: 65_536 }, hiddenSize / heads);
  if (headSize % 2 !== 0) reader.fail('head_dim', 'an even number');
  const vocabSize = reader.integer('vocab_size', { min: 1, max: 4_000_000 }, defaults.vocabSize);
  const maxPositions = reader.integer('max_position_embeddings', { min: 1, max: 2 ** 31 }, defaults.maxPositions);
  const config = {
    vocabSize,
    hiddenSize,
    heads,
    keyHeads,
    headSize,
    layers: reader.integer('num_hidden_layers', { min: 1, max: 256 }, 32),
    intermediateSize: reader.integer('intermediate_size', { min: 1, max: 262_144 }, defaults.intermediateSize),
    hiddenActivation: reader.choice<Activation>('hidden_act', activationNames, 'silu'),
    attentionDropout: reader.number('attention_dropout', { min: 0, max: 0.99 }, 0),
    hiddenDropout: 0,
    rotary: readRotary(json, reader, { headSize, maxPositions }, file),
    tieWords: reader.boolean('tie_word_embeddings', false),
    maxLength: null,
    typeVocabSize: 0,
    layerNormEpsilon: reader.number('rms_norm_eps', { min: 0, max: 1 }, 1e-6),
    initializerRange: reader.number('initializer_range', { min: 0, max: 10 }, 0.02),
    padTokenId: json.pad_token_id === undefined ? null : paddingId(json, reader, vocabSize),
    labels: countLabels(json, reader),
  };
  return { config, reader };
}
