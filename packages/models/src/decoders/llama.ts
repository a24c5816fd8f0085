/** Llama (Touvron et al. 2023, arXiv:2302.13971), its successors up to 3.2, and the many models in its form. */
import { parseDecoderConfig } from './config.ts';
import { type DecoderConfig, decoder } from './decoder.ts';

export function parseLlamaConfig(json: Readonly<Record<string, unknown>>, file?: string): DecoderConfig {
  const defaults = { vocabSize: 32_000, intermediateSize: 11_008, maxPositions: 2048, keyHeads: null };
  const { config, reader } = parseDecoderConfig(json, file, defaults);
  const attentionBias = reader.boolean('attention_bias', false);
  return {
    ...config,
    windows: Array.from({ length: config.layers }, () => null),
    biases: { query: attentionBias, output: attentionBias, feedForward: reader.boolean('mlp_bias', false) },
  };
}

export const llama = /* @__PURE__ */ decoder({ modelType: 'llama', className: 'Llama', parseConfig: parseLlamaConfig });
