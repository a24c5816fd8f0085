import { ConfigError } from 'onnx-grad';

/** Element types of a checkpoint, and their conversion to float32. */

export type TensorType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8_e4m3fn'
  | 'float8_e5m2'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool';

/** One tensor of a checkpoint; its name is the key of the map that holds it. */
export interface NamedTensor {
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly data: Uint8Array;
}

/** Our name, the name in the file, bytes per element. Source: safetensors 0.8, tensor.rs, `enum Dtype`. */
export const tensorTypes: { readonly [D in TensorType]: { readonly code: string; readonly bytes: number } } = {
  float64: { code: 'F64', bytes: 8 },
  float32: { code: 'F32', bytes: 4 },
  float16: { code: 'F16', bytes: 2 },
  bfloat16: { code: 'BF16', bytes: 2 },
  float8_e4m3fn: { code: 'F8_E4M3', bytes: 1 },
  float8_e5m2: { code: 'F8_E5M2', bytes: 1 },
  int64: { code: 'I64', bytes: 8 },
  int32: { code: 'I32', bytes: 4 },
  int16: { code: 'I16', bytes: 2 },
  int8: { code: 'I8', bytes: 1 },
  uint64: { code: 'U64', bytes: 8 },
  uint32: { code: 'U32', bytes: 4 },
  uint16: { code: 'U16', bytes: 2 },
  uint8: { code: 'U8', bytes: 1 },
  bool: { code: 'BOOL', bytes: 1 },
};

/** Sizes to element count; undefined where it leaves the safe integers. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}

/** The bytes of a tensor as float32, exact for float16 and bfloat16, rounded to nearest for float64. */
const converters: { readonly [D in TensorType]?: (data: Uint8Array, count: number) => Float32Array } = {
  float32: (data, count) => new Float32Array(aligned(data, 4), 0, count),
  float64: (data, count) => Float32Array.from(new Float64Array(aligned(data, 8), 0, count)),
  float16: (data, count) => {
    const bits = new Uint16Array(aligned(data, 2), 0, count);
    return Float32Array.from(bits, halfToNumber);
  },
  bfloat16: (data, count) => {
    const bits = new Uint16Array(aligned(data, 2), 0, count);
    return new Float32Array(Uint32Array.from(bits, (high) => high << 16).buffer); // the upper half of a float32
  },
};

/**
 * A tensor's values as float32, in memory of their own.
 * @throws ConfigError for types that are not floating point
 */
export function toFloat32(tensor: NamedTensor): Float32Array {
  const convert = converters[tensor.dtype];
  if (convert === undefined) {
    throw new ConfigError(`Cannot read ${tensor.dtype} as float32. Expected ${Object.keys(converters).join(', ')}.`);
  }
  return convert(tensor.data, tensor.data.byteLength / tensorTypes[tensor.dtype].bytes);
}

/** A copy of the bytes that begins where every typed array may begin. */
function aligned(data: Uint8Array, elementBytes: number): ArrayBuffer {
  const whole = data.byteLength - (data.byteLength % elementBytes);
  return new Uint8Array(data.subarray(0, whole)).buffer;
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
