import { ConfigError, FormatError } from 'onnx-grad';
import { readConfig } from '../config.ts';
import type { DecoderConfig } from '../decoders/decoder.ts';
import { decoders } from '../decoders/index.ts';
import { isObject, type JsonObject, quote } from '../files/json.ts';
import { rotaryFrequencies } from '../rotary.ts';
import { type MetadataReader, metadataOf, shortest } from './metadata.ts';
import type { GgufValue } from './types.ts';
import { ROPE_FACTORS } from './weights.ts';

/**
 * How positions are stretched. GGUF has "linear" in its metadata; Llama 3.1's kind is a tensor of what each frequency is
 * divided by, from which its four numbers cannot be told for certain.
 *
 * Source: llama.cpp, conversion/base.py `set_gguf_parameters`, conversion/llama.py `generate_extra_tensors`
 */

interface WrittenScaling {
  readonly theta: number;
  /** D/2 divisors of the frequencies, or `null`. */
  readonly ropeFactors: Float32Array | null;
  readonly metadata: readonly (readonly [string, GgufValue])[];
}

/** @throws ConfigError for kinds that we do not write */
export function writeScaling(json: JsonObject, { rotary, headSize }: DecoderConfig, file: string): WrittenScaling {
  const given = isObject(json.rope_parameters)
    ? json.rope_parameters
    : isObject(json.rope_scaling)
      ? json.rope_scaling
      : {};
  const theta = Number(given.rope_theta ?? json.rope_theta ?? 10_000);
  const kind = String(given.rope_type ?? given.type ?? 'default');
  const kinds: Readonly<Record<string, () => WrittenScaling>> = {
    default: () => ({ theta, ropeFactors: null, metadata: [] }),
    linear: () => {
      const factor = readConfig(given, file).number('factor', { min: 1e-3, max: 1e6 });
      const metadata = [
        ['rope.scaling.type', metadataOf.string('linear')],
        ['rope.scaling.factor', metadataOf.float32(factor)],
      ] as const;
      return { theta, ropeFactors: null, metadata };
    },
    llama3: () => {
      const ropeFactors = rotaryFrequencies(headSize, theta).map((frequency, d) => frequency / rotary.frequencies[d]!);
      return { theta, ropeFactors, metadata: [] };
    },
  };
  const write = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (write === undefined) {
    const expected = Object.keys(kinds).join(', ');
    throw new ConfigError(`${file}: rope_type ${quote(kind)} is not written to GGUF. Expected one of ${expected}.`);
  }
  return write();
}

export interface ScalingMetadata {
  readonly type: string;
  /** 0 where none is stated. */
  readonly factor: number;
  readonly factors: Float32Array | null;
}

/** `rope_scaling` of config.json. @throws FormatError for kinds that we do not read */
export function readScaling(
  { type, factor, factors }: ScalingMetadata,
  json: JsonObject,
  metadata: MetadataReader,
): JsonObject | null {
  const isLinear = type === 'linear' && factor !== 0 && factor !== 1;
  if (type !== 'none' && type !== 'linear') {
    return metadata.fail(`${json.model_type}.rope.scaling.type`, 'none or linear');
  }
  const isStretched = factors?.some((divisor) => divisor !== 1) ?? false;
  if (!isStretched) return isLinear ? { rope_type: 'linear', factor: shortest(factor) } : null;
  const found = isLinear ? undefined : recoverLlama3(json, factors!);
  if (found !== undefined) return found;
  const problem = "expected divisors as Llama 3.1's scaling gives them, got others";
  throw new FormatError(`${metadata.file}: ${ROPE_FACTORS}: ${problem}.`, { file: metadata.file, field: ROPE_FACTORS });
}

const CLOSE = 1e-4; // of a divisor, relative: both sides compute in float32

/**
 * Llama 3.1's numbers that give these divisors. Only their ratios matter: with a low_freq_factor of 1, as published, the
 * trained length and the high_freq_factor are looked for among powers of two.
 */
function recoverLlama3(json: JsonObject, factors: Float32Array): JsonObject | undefined {
  const factor = shortest(factors.reduce((most, divisor) => Math.max(most, divisor), 1));
  for (const high of [4, 2, 8, 16, 32]) {
    for (let exponent = 24; exponent >= 2; exponent--) {
      const candidate = {
        rope_type: 'llama3',
        factor,
        low_freq_factor: 1,
        high_freq_factor: high,
        original_max_position_embeddings: 2 ** exponent,
      };
      const { rotary, headSize } = decoders.llama.parseConfig({ ...json, rope_scaling: candidate });
      const base = rotaryFrequencies(headSize, Number(json.rope_theta));
      const isSame = factors.every((divisor, d) => Math.abs(base[d]! / rotary.frequencies[d]! / divisor - 1) < CLOSE);
      if (isSame && factors.length === base.length) return candidate;
    }
  }
  return undefined;
}
