/**
 * The types of GGUF: of metadata values and of tensors.
 * Source: ggml, docs/gguf.md (version 3) and include/ggml.h, `enum ggml_type`
 */

/** Metadata types with their codes; strings and arrays have no fixed size. */
export const valueTypes = {
  uint8: { code: 0, bytes: 1 },
  int8: { code: 1, bytes: 1 },
  uint16: { code: 2, bytes: 2 },
  int16: { code: 3, bytes: 2 },
  uint32: { code: 4, bytes: 4 },
  int32: { code: 5, bytes: 4 },
  float32: { code: 6, bytes: 4 },
  bool: { code: 7, bytes: 1 },
  string: { code: 8, bytes: null },
  array: { code: 9, bytes: null },
  uint64: { code: 10, bytes: 8 },
  int64: { code: 11, bytes: 8 },
  float64: { code: 12, bytes: 8 },
} as const;

export type GgufValueType = keyof typeof valueTypes;
export type GgufItemType = Exclude<GgufValueType, 'array'>;

/** What one value is in JavaScript; whole numbers of 64 bits are bigint where they leave the safe integers. */
export type GgufItem = number | bigint | boolean | string;

/** A metadata value with its type. Arrays may hold arrays; llama.cpp reads none of those. */
export type GgufValue =
  | { readonly type: GgufItemType; readonly value: GgufItem }
  | { readonly type: 'array'; readonly items: GgufItemType; readonly value: readonly GgufItem[] }
  | { readonly type: 'array'; readonly items: 'array'; readonly value: readonly GgufValue[] };

/** Tensor types: elements a block and bytes a block. A row is a whole number of blocks. */
export const tensorTypes = {
  f32: { code: 0, block: 1, bytes: 4 },
  f16: { code: 1, block: 1, bytes: 2 },
  q4_0: { code: 2, block: 32, bytes: 18 },
  q4_1: { code: 3, block: 32, bytes: 20 },
  q5_0: { code: 6, block: 32, bytes: 22 },
  q5_1: { code: 7, block: 32, bytes: 24 },
  q8_0: { code: 8, block: 32, bytes: 34 },
  q8_1: { code: 9, block: 32, bytes: 36 },
  q2_K: { code: 10, block: 256, bytes: 84 },
  q3_K: { code: 11, block: 256, bytes: 110 },
  q4_K: { code: 12, block: 256, bytes: 144 },
  q5_K: { code: 13, block: 256, bytes: 176 },
  q6_K: { code: 14, block: 256, bytes: 210 },
  q8_K: { code: 15, block: 256, bytes: 292 },
  iq2_xxs: { code: 16, block: 256, bytes: 66 },
  iq2_xs: { code: 17, block: 256, bytes: 74 },
  iq3_xxs: { code: 18, block: 256, bytes: 98 },
  iq1_s: { code: 19, block: 256, bytes: 50 },
  iq4_nl: { code: 20, block: 32, bytes: 18 },
  iq3_s: { code: 21, block: 256, bytes: 110 },
  iq2_s: { code: 22, block: 256, bytes: 82 },
  iq4_xs: { code: 23, block: 256, bytes: 136 },
  i8: { code: 24, block: 1, bytes: 1 },
  i16: { code: 25, block: 1, bytes: 2 },
  i32: { code: 26, block: 1, bytes: 4 },
  i64: { code: 27, block: 1, bytes: 8 },
  f64: { code: 28, block: 1, bytes: 8 },
  iq1_m: { code: 29, block: 256, bytes: 56 },
  bf16: { code: 30, block: 1, bytes: 2 },
  tq1_0: { code: 34, block: 256, bytes: 54 },
  tq2_0: { code: 35, block: 256, bytes: 66 },
  mxfp4: { code: 39, block: 32, bytes: 17 },
  nvfp4: { code: 40, block: 64, bytes: 36 },
  q1_0: { code: 41, block: 128, bytes: 18 },
  q2_0: { code: 42, block: 64, bytes: 18 },
} as const;

export type GgufTensorType = keyof typeof tensorTypes;

/** Where a tensor lies in the file. */
export interface GgufTensor {
  readonly type: GgufTensorType;
  /** Row-major as everywhere here, (rows, columns); the file has it the other way round. */
  readonly shape: readonly number[];
  /** Byte positions in the file. */
  readonly begin: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Bytes of a tensor; `undefined` where its rows are no whole number of blocks, or the size leaves the safe integers. */
export function tensorBytes(type: GgufTensorType, shape: readonly number[]): number | undefined {
  const { block, bytes } = tensorTypes[type];
  const columns = shape.at(-1) ?? 1;
  const size = shape.reduce((count, length) => count * length, 1 / block) * bytes;
  return columns % block === 0 && shape.every(Number.isSafeInteger) && Number.isSafeInteger(size) ? size : undefined;
}
