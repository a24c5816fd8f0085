/** Qwen2 and 2.5 (Yang et al. 2024, arXiv:2407.10671): Llama with biases on queries, keys and values, and windows. */
import type { ConfigReader } from '../config.ts';
import { parseDecoderConfig } from './config.ts';
import { type DecoderConfig, decoder } from './decoder.ts';

const layerTypes = ['full_attention', 'sliding_attention'] as const;

export function parseQwen2Config(json: Readonly<Record<string, unknown>>, file?: string): DecoderConfig {
  const defaults = { vocabSize: 151_936, intermediateSize: 22_016, maxPositions: 32_768, keyHeads: 32 };
  const { config, reader } = parseDecoderConfig(json, file, defaults);
  return {
    ...config,
    windows: readWindows(json, reader, config.layers),
    biases: { query: true, output: false, feedForward: false },
  };
}

/** Layers from `max_window_layers` on slide where `use_sliding_window` says so; transformers 5 lists each layer. */
function readWindows(json: Readonly<Record<string, unknown>>, config: ConfigReader, layers: number): (number | null)[] {
  const isUsed = config.boolean('use_sliding_window', false);
  const window = isUsed ? config.integer('sliding_window', { min: 1, max: 2 ** 31 }, 4096) : null;
  const from = config.integer('max_window_layers', { min: 0, max: 2 ** 31 }, 28);
  const isListed = json.layer_types !== undefined && json.layer_types !== null;
  const types = isListed
    ? config.names<(typeof layerTypes)[number]>('layer_types', layerTypes, [])
    : Array.from({ length: layers }, (_, layer) => (layer >= from ? 'sliding_attention' : 'full_attention'));
  if (types.length !== layers) config.fail('layer_types', `${layers} entries, one a layer`);
  return types.map((type) => (type === 'sliding_attention' ? window : null));
}

export const qwen2 = /* @__PURE__ */ decoder({ modelType: 'qwen2', className: 'Qwen2', parseConfig: parseQwen2Config });
