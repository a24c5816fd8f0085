import { ConfigError } from 'onnx-grad';
import { toFloat32 } from '../checkpoint/dtypes.ts';
import { quote } from '../files/json.ts';
import { toHalf } from './half.ts';
import { type GgufTensorType, tensorTypes } from './types.ts';

/** Values to a tensor's bytes and back. */

/** What we write. */
export type GgufWeightType = 'f32' | 'f16' | 'q8_0';

const encoders: { readonly [T in GgufWeightType]: (values: Float32Array) => Uint8Array } = {
  f32: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  f16: (values) => new Uint8Array(Uint16Array.from(values, toHalf).buffer),
  q8_0: quantize,
};

/**
 * A tensor's bytes; those of f32 are a view.
 * @throws ConfigError for values that are not finite, or that a half cannot hold
 */
export function encodeTensor(name: string, values: Float32Array, type: GgufWeightType): Uint8Array {
  const most = largest(values, 0, values.length);
  const limit = type === 'f32' ? Number.MAX_VALUE : type === 'f16' ? MAX_HALF : MAX_HALF * LEVELS;
  if (!(most <= limit)) {
    const remedy = Number.isFinite(most) ? ' Write it as f32.' : '';
    throw new ConfigError(`${quote(name)} has a value of size ${most}, which ${type} cannot hold.${remedy}`);
  }
  return encoders[type](values);
}

const MAX_HALF = 65_504;

/** The largest magnitude from `begin` to `end`; NaN where there is one. */
function largest(values: Float32Array, begin: number, end: number): number {
  let most = 0;
  for (let i = begin; i < end; i++) {
    const size = Math.abs(values[i]!);
    if (!(size <= most)) most = size;
    if (Number.isNaN(most)) return most;
  }
  return most;
}

const BLOCK = tensorTypes.q8_0.block;
const BLOCK_BYTES = tensorTypes.q8_0.bytes;
const LEVELS = 127;

/**
 * Blocks of 32 values: their scale as a half, then each as a whole number of scales. In float32 throughout, halves away
 * from zero, and by the scale before it is rounded to a half: as the reference, bit for bit.
 * Source: ggml-quants.c, `quantize_row_q8_0_ref`
 */
function quantize(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / BLOCK) * BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  for (let begin = 0, at = 0; begin < values.length; begin += BLOCK, at += BLOCK_BYTES) {
    const scale = Math.fround(largest(values, begin, begin + BLOCK) / LEVELS);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setUint16(at, toHalf(scale), true);
    if (!Number.isFinite(inverse)) continue; // below 2^-128: the half of the scale is 0, whatever the levels
    for (let i = 0; i < BLOCK; i++) {
      const level = Math.fround(values[begin + i]! * inverse);
      view.setInt8(at + 2 + i, Math.sign(level) * Math.floor(Math.abs(level) + 0.5));
    }
  }
  return bytes;
}

const decoders: { readonly [T in GgufTensorType]?: (bytes: Uint8Array, count: number) => Float32Array } = {
  f32: (data, count) => toFloat32({ dtype: 'float32', shape: [count], data }),
  f16: (data, count) => toFloat32({ dtype: 'float16', shape: [count], data }),
  bf16: (data, count) => toFloat32({ dtype: 'bfloat16', shape: [count], data }),
  f64: (data, count) => toFloat32({ dtype: 'float64', shape: [count], data }),
  q8_0: (bytes, count) => {
    const scales = new Uint16Array(count / BLOCK);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    scales.forEach((_, block) => {
      scales[block] = view.getUint16(block * BLOCK_BYTES, true);
    });
    const data = new Uint8Array(scales.buffer);
    const scaleValues = toFloat32({ dtype: 'float16', shape: [scales.length], data });
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const block = Math.floor(i / BLOCK);
      values[i] = scaleValues[block]! * view.getInt8(block * BLOCK_BYTES + 2 + (i % BLOCK));
    }
    return values;
  },
};

/** A tensor's values. @throws ConfigError for types we do not read */
export function decodeTensor(name: string, bytes: Uint8Array, type: GgufTensorType): Float32Array {
  const decode = decoders[type];
  if (decode === undefined) {
    const remedy = `Supported: ${Object.keys(decoders).join(', ')}. Take a GGUF with one of these.`;
    throw new ConfigError(`${quote(name)} is ${type}, which is not read. ${remedy}`);
  }
  const { block, bytes: blockBytes } = tensorTypes[type];
  return decode(bytes, (bytes.byteLength / blockBytes) * block);
}
