/**
 * How decoders stretch rotary positions beyond the lengths they were trained on: a row a kind.
 * Source: transformers 5, modeling_rope_utils.py, ROPE_INIT_FUNCTIONS.
 */
import { type Dim, ops, type Value } from 'onnx-grad';
import { type ConfigReader, readConfig } from '../config.ts';
import { isObject } from '../files/json.ts';
import { type Angles, rotaryAngles, rotaryFrequencies } from '../rotary.ts';
import type { Scope } from '../scope.ts';

export interface Rotary {
  /** Radians from one token to the next, D/2 of them. */
  readonly frequencies: Float32Array;
  /** Multiplied onto cosines and sines. */
  readonly factor: number;
  /** Set where a text longer than `trained` tokens turns more slowly, the more so the longer it is. */
  readonly dynamic: { readonly trained: number; readonly factor: number } | null;
}

export interface RotaryOptions {
  readonly headSize: number;
  /** `max_position_embeddings` */
  readonly maxPositions: number;
}

/** What a kind reads and gives. */
interface Kind extends RotaryOptions {
  readonly theta: number;
  readonly fields: ConfigReader;
  /** Tokens that the model was trained on before it was stretched. */
  readonly trained: number;
}

const FACTOR = { min: 1e-3, max: 1e6 };
const LENGTH = { min: 1, max: 2 ** 31 };

const fixed = (frequencies: Float32Array, factor = 1): Rotary => ({ frequencies, factor, dynamic: null });

const kinds: Readonly<Record<string, (kind: Kind) => Rotary>> = {
  default: ({ headSize, theta }) => fixed(rotaryFrequencies(headSize, theta)),

  linear: ({ headSize, theta, fields }) => {
    const factor = fields.number('factor', FACTOR);
    return fixed(rotaryFrequencies(headSize, theta).map((frequency) => frequency / factor));
  },

  dynamic: ({ headSize, theta, fields, maxPositions }) => ({
    ...fixed(rotaryFrequencies(headSize, theta)),
    dynamic: { trained: maxPositions, factor: fields.number('factor', FACTOR) },
  }),

  /** Llama 3.1: long waves are stretched, short ones kept, those in between go over smoothly. */
  llama3: ({ headSize, theta, fields, trained }) => {
    const factor = fields.number('factor', FACTOR);
    const [low, high] = [fields.number('low_freq_factor', FACTOR), fields.number('high_freq_factor', FACTOR)];
    const stretched = rotaryFrequencies(headSize, theta).map((frequency) => {
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength > trained / low) return frequency / factor;
      if (wavelength < trained / high) return frequency;
      const share = (trained / wavelength - low) / (high - low);
      return ((1 - share) * frequency) / factor + share * frequency;
    });
    return fixed(stretched);
  },

  /** YaRN (Peng et al. 2023, arXiv:2309.00071). */
  yarn: ({ headSize, theta, fields, maxPositions, trained }) => {
    const factor = fields.number('factor', FACTOR, maxPositions / trained);
    const optional = (name: string) => fields.number(name, { min: 0, max: 1e6 }, 0) || null;
    const [mscale, mscaleAll] = [optional('mscale'), optional('mscale_all_dim')];
    const attention = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
    const inferred = mscale && mscaleAll ? attention(mscale) / attention(mscaleAll) : attention(1);
    /** The feature that turns this often over the trained length. */
    const featureOf = (turns: number) => (headSize * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
    const [fast, slow] = [featureOf(optional('beta_fast') ?? 32), featureOf(optional('beta_slow') ?? 1)];
    const isWhole = fields.boolean('truncate', true);
    const first = Math.max(isWhole ? Math.floor(fast) : fast, 0);
    const last = Math.min(isWhole ? Math.ceil(slow) : slow, headSize - 1);
    const span = last === first ? 0.001 : last - first;
    const stretched = rotaryFrequencies(headSize, theta).map((frequency, d) => {
      const share = Math.min(Math.max((d - first) / span, 0), 1);
      return (frequency / factor) * share + frequency * (1 - share);
    });
    return fixed(stretched, optional('attention_factor') ?? inferred);
  },
};

/**
 * The config's rotary positions: `rope_parameters` of transformers 5, or `rope_theta` and `rope_scaling` of published files.
 * @throws FormatError for a kind that is not in the table, or a field out of range
 */
export function readRotary(
  json: Readonly<Record<string, unknown>>,
  config: ConfigReader,
  options: RotaryOptions,
  file?: string,
): Rotary {
  const name = isObject(json.rope_parameters) ? 'rope_parameters' : 'rope_scaling';
  const given = json[name] ?? {};
  if (!isObject(given)) return config.fail(name, 'an object or null');
  const kind = given.rope_type ?? given.type ?? 'default';
  const read = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!read) return config.fail(name, `rope_type to be one of ${Object.keys(kinds).join(', ')}`);
  const fields = readConfig(given, `${file ?? 'config.json'}: ${name}`);
  const partial = fields.number('partial_rotary_factor', { min: 0, max: 1 }, 1);
  if (partial !== 1) config.fail(name, 'partial_rotary_factor to be 1');
  const limits = { min: 1.001, max: 1e12 };
  const theta =
    given.rope_theta === undefined ? config.number('rope_theta', limits, 10_000) : fields.number('rope_theta', limits);
  const stated = config.integer('original_max_position_embeddings', LENGTH, options.maxPositions);
  const trained = fields.integer('original_max_position_embeddings', LENGTH, stated);
  return read({ ...options, theta, fields, trained });
}

/** The angles of tokens 0 to T - 1. */
export function decoderAngles(scope: Scope, length: Dim, { frequencies, factor, dynamic }: Rotary): Angles {
  const base = scope.graph.constant(frequencies, [1, frequencies.length]);
  const slowed = dynamic ? ops.mul(base, slowing(scope, length, frequencies.length, dynamic)) : base;
  return rotaryAngles(scope, length, slowed, factor);
}

/** By how much a text of T tokens turns more slowly, (1, D/2): theta grows by (factor·T/trained - factor + 1)^(D/(D-2)). */
function slowing(
  scope: Scope,
  length: Dim,
  half: number,
  { trained, factor }: { trained: number; factor: number },
): Value {
  const tokens = ops.cast(ops.size(ops.range(scope.graph, { limit: length })), 'float32');
  const growth = ops.sub(ops.mul(tokens, factor / trained), factor - 1);
  const ratio = ops.where(ops.greater(tokens, scope.graph.constant(trained)), growth, 1);
  const exponents = Float32Array.from({ length: half }, (_, d) => -d / (half - 1));
  return ops.pow(ops.reshape(ratio, [1, 1]), scope.graph.constant(exponents, [1, half]));
}
