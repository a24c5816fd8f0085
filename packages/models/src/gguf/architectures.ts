import { ConfigError } from 'onnx-grad';
import { readConfig } from '../config.ts';
import type { DecoderConfig } from '../decoders/decoder.ts';
import { decoders } from '../decoders/index.ts';
import type { JsonObject } from '../files/json.ts';
import { type MetadataReader, metadataOf, shortest } from './metadata.ts';
import { readScaling, type ScalingMetadata, writeScaling } from './rope-scaling.ts';
import type { GgufValue } from './types.ts';

/**
 * What config.json and a GGUF's metadata say of a model, each in its own words.
 * Source: llama.cpp, conversion/base.py `set_gguf_parameters`, conversion/llama.py, conversion/qwen.py
 */

/** `general.architecture` and `model_type` are the same word. */
type ArchitectureName = 'llama' | 'qwen2';

export interface Architecture {
  readonly name: ArchitectureName;
  /** Whether ggml turns neighbouring features, its rope of type NORM; else those half a head apart, as transformers. */
  readonly isInterleaved: boolean;
  /** Whether llama.cpp takes heads whose sizes do not add up to the hidden size. */
  readonly hasFreeHeadSize: boolean;
  /** transformers' `max_position_embeddings` where config.json states none. */
  readonly maxPositions: number;
}

const architectures: { readonly [A in ArchitectureName]: Architecture } = {
  llama: { name: 'llama', isInterleaved: true, hasFreeHeadSize: true, maxPositions: 2048 },
  qwen2: { name: 'qwen2', isInterleaved: false, hasFreeHeadSize: false, maxPositions: 32_768 },
};

const architectureNames = Object.keys(architectures).join(', ');

function architectureOf(name: unknown): Architecture | undefined {
  return typeof name === 'string' && Object.hasOwn(architectures, name)
    ? architectures[name as ArchitectureName]
    : undefined;
}

/** Numbers that both sides have, under their names. */
const wholeFields = [
  ['vocab_size', 'vocab_size'],
  ['max_position_embeddings', 'context_length'],
  ['hidden_size', 'embedding_length'],
  ['num_hidden_layers', 'block_count'],
  ['intermediate_size', 'feed_forward_length'],
  ['num_attention_heads', 'attention.head_count'],
  ['num_key_value_heads', 'attention.head_count_kv'],
  ['head_dim', 'attention.key_length'],
] as const;
const EPSILON = 'attention.layer_norm_rms_epsilon';
const THETA = 'rope.freq_base';

/** What a GGUF says of a config. */
export interface DescribedModel {
  readonly architecture: Architecture;
  readonly config: DecoderConfig;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Values of the tensor `rope_freqs.weight`; `null` for none. */
  readonly ropeFactors: Float32Array | null;
}

/**
 * Hyper-parameters from config.json.
 * @throws FormatError for a config that is not one of ours; ConfigError for what llama.cpp cannot run
 */
export function describeConfig(json: JsonObject, file = 'config.json'): DescribedModel {
  const architecture = architectureOf(json.model_type);
  if (architecture === undefined) {
    return readConfig(json, file).fail('model_type', `one of ${architectureNames}, of which a GGUF can be written`);
  }
  const config = decoders[architecture.name].parseConfig(json, file);
  const refuse = (problem: string): never => {
    throw new ConfigError(`${file}: llama.cpp runs no ${architecture.name} with ${problem}.`);
  };
  if (config.hiddenActivation !== 'silu') refuse(`hidden_act ${config.hiddenActivation}`);
  if (config.windows.some((window) => window !== null)) refuse('sliding windows');
  if (!architecture.hasFreeHeadSize && config.headSize * config.heads !== config.hiddenSize) {
    refuse(`head_dim ${config.headSize}, ${config.heads} of which are not the hidden_size of ${config.hiddenSize}`);
  }
  const maxPositions = readConfig(json, file).integer(
    'max_position_embeddings',
    { min: 1, max: 2 ** 31 },
    architecture.maxPositions,
  );
  const { theta, ropeFactors, metadata: scaling } = writeScaling(json, config, file);
  const numbers: Record<(typeof wholeFields)[number][0], number> = {
    vocab_size: config.vocabSize,
    max_position_embeddings: maxPositions,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layers,
    intermediate_size: config.intermediateSize,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyHeads,
    head_dim: config.headSize,
  };
  const entries: (readonly [string, GgufValue])[] = [
    ...wholeFields.map(([ours, theirs]) => [theirs, metadataOf.uint32(numbers[ours])] as const),
    ['attention.value_length', metadataOf.uint32(config.headSize)],
    [EPSILON, metadataOf.float32(config.layerNormEpsilon)],
    ['rope.dimension_count', metadataOf.uint32(config.headSize)],
    [THETA, metadataOf.float32(theta)],
    ...scaling,
  ];
  const named = entries.map(([key, value]) => [`${architecture.name}.${key}`, value] as const);
  return { architecture, config, ropeFactors, metadata: new Map(named) };
}

/** What else than metadata config.json depends on. */
export interface ConfigEvidence {
  readonly tensorNames: ReadonlySet<string>;
  /** Values of `rope_freqs.weight`; `null` for none. */
  readonly ropeFactors: Float32Array | null;
  /** Rows of the word embeddings. */
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
}

/**
 * config.json from a GGUF.
 * @throws FormatError for an architecture or kind of positions that is not one of ours, and for values out of range
 */
export function recoverConfig(
  metadata: MetadataReader,
  evidence: ConfigEvidence,
): { readonly architecture: Architecture; readonly config: DecoderConfig; readonly json: JsonObject } {
  const name = metadata.string('general.architecture');
  const architecture = architectureOf(name);
  if (architecture === undefined) return metadata.fail('general.architecture', `one of ${architectureNames}`);
  const { tensorNames } = evidence;
  const key = (field: string) => `${name}.${field}`;
  const whole = (field: string, fallback?: number) => metadata.integer(key(field), { min: 1, max: 2 ** 31 }, fallback);
  const heads = whole('attention.head_count');
  const hiddenSize = whole('embedding_length');
  const headSize = whole('attention.key_length', Math.floor(hiddenSize / heads));
  for (const field of ['attention.value_length', 'rope.dimension_count']) {
    if (whole(field, headSize) !== headSize) metadata.fail(key(field), `${headSize}, the size of a head`);
  }
  const theta = shortest(metadata.number(key(THETA), { min: 1.001, max: 1e12 }, 10_000));
  const factor = (field: string) => metadata.number(key(field), { min: 0, max: 1e6 }, 0);
  const scaling: ScalingMetadata = {
    type: metadata.string(key('rope.scaling.type'), 'linear'),
    factor: factor('rope.scaling.factor') || factor('rope.scale_linear'), // the latter in files of 2023
    factors: evidence.ropeFactors,
  };
  const special = { bos_token_id: evidence.bosId, eos_token_id: evidence.eosId, pad_token_id: evidence.padId };
  const json: JsonObject = {
    architectures: [`${decoders[architecture.name].className}ForCausalLM`],
    model_type: name,
    vocab_size: evidence.vocabSize,
    max_position_embeddings: whole('context_length'),
    hidden_size: hiddenSize,
    num_hidden_layers: whole('block_count'),
    intermediate_size: whole('feed_forward_length'),
    num_attention_heads: heads,
    num_key_value_heads: whole('attention.head_count_kv', heads),
    head_dim: headSize,
    hidden_act: 'silu',
    rms_norm_eps: shortest(metadata.number(key(EPSILON), { min: 0, max: 1 })),
    rope_theta: theta,
    tie_word_embeddings: !tensorNames.has('output.weight'),
    ...(name === 'llama'
      ? { attention_bias: tensorNames.has('blk.0.attn_q.bias'), mlp_bias: tensorNames.has('blk.0.ffn_up.bias') }
      : { use_sliding_window: false }),
    ...Object.fromEntries(Object.entries(special).filter(([, id]) => id !== undefined)),
  };
  const withScaling = { ...json, rope_scaling: readScaling(scaling, json, metadata) };
  return {
    architecture,
    json: withScaling,
    config: decoders[architecture.name].parseConfig(withScaling, metadata.file),
  };
}
