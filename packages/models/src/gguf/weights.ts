import type { DecoderConfig } from '../decoders/decoder.ts';
import type { Architecture } from './architectures.ts';

/**
 * The weights of a decoder by both names: "model.layers.0.self_attn.q_proj.weight" is "blk.0.attn_q.weight".
 * Source: llama.cpp, gguf-py/gguf/tensor_mapping.py
 */
export interface WeightNames {
  readonly hf: string;
  readonly gguf: string;
  /** (rows, columns), or the length of a norm or bias. */
  readonly shape: readonly number[];
  /** Heads whose rows lie in another order in a GGUF (rotary-order.ts); `null` where the order is the same. */
  readonly turnedHeads: number | null;
}

/** A matrix or norm of each layer. */
interface LayerWeight {
  readonly hf: string;
  readonly gguf: string;
  readonly shape: (config: DecoderConfig) => readonly number[];
  readonly bias?: keyof DecoderConfig['biases'];
  /** Of queries and keys, which rotary positions turn. */
  readonly heads?: (config: DecoderConfig) => number;
}

const layerWeights: readonly LayerWeight[] = [
  { hf: 'input_layernorm', gguf: 'attn_norm', shape: (c) => [c.hiddenSize] },
  {
    hf: 'self_attn.q_proj',
    gguf: 'attn_q',
    shape: (c) => [c.heads * c.headSize, c.hiddenSize],
    bias: 'query',
    heads: (c) => c.heads,
  },
  {
    hf: 'self_attn.k_proj',
    gguf: 'attn_k',
    shape: (c) => [c.keyHeads * c.headSize, c.hiddenSize],
    bias: 'query',
    heads: (c) => c.keyHeads,
  },
  { hf: 'self_attn.v_proj', gguf: 'attn_v', shape: (c) => [c.keyHeads * c.headSize, c.hiddenSize], bias: 'query' },
  { hf: 'self_attn.o_proj', gguf: 'attn_output', shape: (c) => [c.hiddenSize, c.heads * c.headSize], bias: 'output' },
  { hf: 'post_attention_layernorm', gguf: 'ffn_norm', shape: (c) => [c.hiddenSize] },
  { hf: 'mlp.gate_proj', gguf: 'ffn_gate', shape: (c) => [c.intermediateSize, c.hiddenSize], bias: 'feedForward' },
  { hf: 'mlp.up_proj', gguf: 'ffn_up', shape: (c) => [c.intermediateSize, c.hiddenSize], bias: 'feedForward' },
  { hf: 'mlp.down_proj', gguf: 'ffn_down', shape: (c) => [c.hiddenSize, c.intermediateSize], bias: 'feedForward' },
];

export const OUTPUT = 'output.weight';
export const WORDS = 'token_embd.weight';
export const ROPE_FACTORS = 'rope_freqs.weight';

/** Every weight of a causal language model, in the order in which they are written. */
export function weightsOf(config: DecoderConfig, { isInterleaved }: Architecture): WeightNames[] {
  const words = { shape: [config.vocabSize, config.hiddenSize], turnedHeads: null };
  const layers = Array.from({ length: config.layers }, (_, layer) =>
    layerWeights.flatMap(({ hf, gguf, shape, bias, heads }) => {
      const turnedHeads = isInterleaved ? (heads?.(config) ?? null) : null;
      const [ours, theirs] = [`model.layers.${layer}.${hf}`, `blk.${layer}.${gguf}`];
      const sizes = shape(config);
      const matrix = { hf: `${ours}.weight`, gguf: `${theirs}.weight`, shape: sizes, turnedHeads };
      if (bias === undefined || !config.biases[bias]) return [matrix];
      return [matrix, { hf: `${ours}.bias`, gguf: `${theirs}.bias`, shape: sizes.slice(0, 1), turnedHeads }];
    }),
  );
  return [
    { hf: 'model.embed_tokens.weight', gguf: WORDS, ...words },
    ...(config.tieWords ? [] : [{ hf: 'lm_head.weight', gguf: OUTPUT, ...words }]),
    { hf: 'model.norm.weight', gguf: 'output_norm.weight', shape: [config.hiddenSize], turnedHeads: null },
    ...layers.flat(),
  ];
}
