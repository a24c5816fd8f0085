import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../files/json.ts';
import { describeConfig, recoverConfig } from './architectures.ts';
import { metadataOf, readMetadata, shortest } from './metadata.ts';
import type { GgufValue } from './types.ts';
import { weightsOf } from './weights.ts';

/** Llama 3.1 8B as published, but for what says nothing of its shape. */
const llama31: JsonObject = {
  model_type: 'llama',
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  hidden_size: 4096,
  num_hidden_layers: 2,
  intermediate_size: 14_336,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  rope_theta: 500_000,
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
  tie_word_embeddings: false,
};
const qwen25: JsonObject = {
  model_type: 'qwen2',
  vocab_size: 151_936,
  max_position_embeddings: 32_768,
  hidden_size: 896,
  num_hidden_layers: 2,
  intermediate_size: 4864,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  rope_scaling: null,
  sliding_window: 32_768,
  max_window_layers: 1,
  use_sliding_window: false,
  tie_word_embeddings: true,
};

/** The metadata of a config with `general.architecture`, as in a file. */
function metadataFor(json: JsonObject) {
  const { architecture, config, metadata, ropeFactors } = describeConfig(json);
  const entries = new Map<string, GgufValue>([
    ['general.architecture', metadataOf.string(architecture.name)],
    ...metadata,
  ]);
  const tensorNames = new Set(weightsOf(config, architecture).map(({ gguf }) => gguf));
  const evidence = {
    tensorNames,
    ropeFactors,
    vocabSize: config.vocabSize,
    bosId: undefined,
    eosId: 2,
    padId: undefined,
  };
  return { entries, evidence, config };
}

function recover(json: JsonObject, change?: (entries: Map<string, GgufValue>) => void, factors?: Float32Array) {
  const { entries, evidence } = metadataFor(json);
  change?.(entries);
  return recoverConfig(readMetadata(entries, 'm.gguf'), factors ? { ...evidence, ropeFactors: factors } : evidence);
}

describe('a config comes back from metadata', () => {
  it.each([
    ['of Llama 3.1, its scaling told from a tensor', llama31],
    ['of Qwen2.5', qwen25],
    ['with positions stretched evenly', { ...qwen25, rope_scaling: { rope_type: 'linear', factor: 2.5 } }],
    ['with heads of another size', { ...llama31, head_dim: 64, rope_scaling: null }],
    ['with biases', { ...llama31, attention_bias: true, mlp_bias: true, rope_scaling: null }],
  ])('%s', (_, json) => {
    const { json: back, config } = recover(json);
    for (const [key, value] of Object.entries(json)) if (key in back) expect([key, back[key]]).toEqual([key, value]);
    expect(config).toEqual({ ...metadataFor(json).config, padTokenId: null });
    expect(back).toMatchObject({ eos_token_id: 2, rope_theta: json.rope_theta });
    expect(back).not.toHaveProperty('pad_token_id');
  });

  it('in the form of transformers 5', () => {
    const { rope_theta: theta, rope_scaling: scaling, ...rest } = llama31;
    const modern = { ...rest, rope_parameters: { ...(scaling as JsonObject), rope_theta: theta } };
    expect([...metadataFor(modern).entries]).toEqual([...metadataFor(llama31).entries]);
    expect(metadataFor(modern).evidence.ropeFactors).toEqual(metadataFor(llama31).evidence.ropeFactors);
  });
});

it("divides Llama 3.1's frequencies by what llama.cpp's converter writes", () => {
  const factors = metadataFor(llama31).evidence.ropeFactors!;
  expect(factors).toHaveLength(64);
  // its formula: 1 above high_freq_factor turns over the trained length, 8 below low_freq_factor, in between by share
  const wavelength = (d: number) => 2 * Math.PI * 500_000 ** (d / 64);
  const expected = Array.from({ length: 64 }, (_, d) => {
    const share = Math.min(Math.max((8192 / wavelength(d) - 1) / 3, 0), 1);
    return 1 / ((1 - share) / 8 + share);
  });
  factors.forEach((factor, d) => {
    expect(factor / expected[d]!).toBeCloseTo(1, 5);
  });
  expect(new Set(factors.subarray(0, 28))).toEqual(new Set([1]));
});

describe('a config that llama.cpp cannot run is refused:', () => {
  it.each([
    ['another activation', { ...llama31, hidden_act: 'gelu' }, 'no llama with hidden_act gelu'],
    ['windows', { ...qwen25, use_sliding_window: true, sliding_window: 8 }, 'no qwen2 with sliding windows'],
    [
      'heads that do not add up',
      { ...qwen25, head_dim: 32 },
      'with head_dim 32, 14 of which are not the hidden_size of 896',
    ],
    [
      'another scaling',
      { ...qwen25, rope_scaling: { rope_type: 'yarn', factor: 4 } },
      'rope_type "yarn" is not written',
    ],
  ])('%s', (_, json, problem) => {
    expect(() => describeConfig(json)).toThrow(ConfigError);
    expect(() => describeConfig(json)).toThrow(problem);
  });

  it('another family', () => {
    expect(() => describeConfig({ model_type: 'bert' })).toThrow(FormatError);
    expect(() => describeConfig({ model_type: 'bert' })).toThrow(
      'expected one of llama, qwen2, of which a GGUF can be',
    );
  });
});

describe('metadata that are not of our models are refused:', () => {
  const set = (key: string, value: GgufValue) => (entries: Map<string, GgufValue>) => entries.set(key, value);
  it.each([
    [
      'another architecture',
      set('general.architecture', metadataOf.string('gemma3')),
      'expected one of llama, qwen2, got "gemma3"',
    ],
    [
      'no size',
      (entries: Map<string, GgufValue>) => entries.delete('qwen2.embedding_length'),
      '"qwen2.embedding_length": expected a number from 1',
    ],
    ['sizes a layer', set('qwen2.feed_forward_length', metadataOf.int32s([1, 2])), 'expected a number'],
    [
      'values of another size than keys',
      set('qwen2.attention.value_length', metadataOf.uint32(32)),
      'expected 64, the size of a head',
    ],
    [
      'positions in part of a head',
      set('qwen2.rope.dimension_count', metadataOf.uint32(32)),
      'expected 64, the size of a head',
    ],
    [
      'another scaling',
      set('qwen2.rope.scaling.type', metadataOf.string('yarn')),
      'expected none or linear, got "yarn"',
    ],
  ])('%s', (_, change, problem) => {
    expect(() => recover(qwen25, change)).toThrow(FormatError);
    expect(() => recover(qwen25, change)).toThrow(problem);
  });

  it('divisors that no scaling of Llama 3.1 gives', () => {
    const factors = metadataFor(llama31).evidence.ropeFactors!.map((factor, d) => (d === 30 ? 7 : factor));
    expect(() => recover(llama31, undefined, factors)).toThrow("rope_freqs.weight: expected divisors as Llama 3.1's");
    const tooFew = metadataFor(llama31).evidence.ropeFactors!.subarray(0, 60);
    expect(() => recover(llama31, undefined, tooFew)).toThrow(FormatError);
  });

  it('but a factor without a kind is linear, under its old name too, and with the kind none it is nothing', () => {
    const linear = { rope_type: 'linear', factor: 4 };
    const factor = metadataOf.float32(4);
    expect(recover(qwen25, set('qwen2.rope.scaling.factor', factor)).json.rope_scaling).toEqual(linear);
    expect(recover(qwen25, set('qwen2.rope.scale_linear', factor)).json.rope_scaling).toEqual(linear);
    const none = (entries: Map<string, GgufValue>) => {
      entries.set('qwen2.rope.scaling.factor', factor).set('qwen2.rope.scaling.type', metadataOf.string('none'));
    };
    expect(recover(qwen25, none).json.rope_scaling).toBeNull();
  });

  it('but divisors of 1 are no scaling', () => {
    expect(recover(llama31, undefined, new Float32Array(64).fill(1)).json.rope_scaling).toBeNull();
  });
});

it('finds the decimal that a float32 stands for', () => {
  const decimals = [1e-6, 1e-5, 0.1, 2.5, 500_000, 1_000_000, 1 / 3, 0];
  for (const decimal of decimals) expect(Math.fround(shortest(Math.fround(decimal)))).toBe(Math.fround(decimal));
  expect(decimals.slice(0, 6).map((decimal) => shortest(Math.fround(decimal)))).toEqual(decimals.slice(0, 6));
});
