/** What the scale benchmark trains: shapes too large to be tried in passing. */
import { debertaV3 } from '../deberta-v3.ts';

export interface ScaleCase {
  /** As config.json has it; weights are random. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly batch: number;
  readonly length: number;
  readonly steps: number;
  /** Whether the weights are saved and loaded too. */
  readonly isSaved: boolean;
}

/** What a process of its own has to say of it. */
export interface ScaleResult {
  readonly parameters: number;
  /** Of each step, the first included. */
  readonly stepMs: readonly number[];
  readonly saveMs: number | null;
  readonly loadMs: number | null;
  /** The most memory the process had. */
  readonly peakGiB: number;
}

/** answerdotai/ModernBERT-base */
const MODERNBERT_BASE = {
  model_type: 'modernbert',
  vocab_size: 50_368,
  hidden_size: 768,
  num_hidden_layers: 22,
  num_attention_heads: 12,
  intermediate_size: 1152,
  global_attn_every_n_layers: 3,
  local_attention: 128,
};

/** Ettin's smallest with windows in every layer: what is left must grow with the length alone. */
const LOCAL = {
  model_type: 'modernbert',
  vocab_size: 50_368,
  hidden_size: 256,
  num_hidden_layers: 7,
  num_attention_heads: 4,
  intermediate_size: 384,
  layer_types: Array.from({ length: 7 }, () => 'sliding_attention'),
  local_attention: 128,
};

export const largeCases: Readonly<Record<string, ScaleCase & { readonly mostGiB: number }>> = {
  'deberta-v3-large 2x256': { config: debertaV3.large, batch: 2, length: 256, steps: 3, isSaved: true, mostGiB: 18 },
  'modernbert-base 1x2048': { config: MODERNBERT_BASE, batch: 1, length: 2048, steps: 3, isSaved: false, mostGiB: 16 },
};

export const localLengths = [512, 1024, 2048, 4096, 8192] as const;

export function localCase(length: number): ScaleCase {
  return { config: LOCAL, batch: 1, length, steps: 6, isSaved: false };
}
