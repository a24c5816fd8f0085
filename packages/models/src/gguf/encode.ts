import { ConfigError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { ALIGNMENT_KEY, alignUp, DEFAULT_ALIGNMENT } from './parse.ts';
import {
  type GgufItem,
  type GgufItemType,
  type GgufTensorType,
  type GgufValue,
  tensorBytes,
  tensorTypes,
  valueTypes,
} from './types.ts';

/** Writing a header: version 3, little-endian, tensors one after the other at multiples of 32 bytes. */

const VERSION = 3;
const MAX_NAME_BYTES = 63; // ggml.h, GGML_MAX_NAME with its closing zero

/** A tensor to be written. */
export interface TensorPlan {
  readonly name: string;
  readonly type: GgufTensorType;
  /** Row-major. */
  readonly shape: readonly number[];
}

export interface EncodedHeader {
  /** Up to where the data begin. */
  readonly header: Uint8Array;
  /** Zero bytes that follow each tensor's data, in the order of the plans. */
  readonly paddingBytes: readonly number[];
}

/**
 * Lays a file out.
 * @throws ConfigError for values that do not fit their types, names that are too long or stand twice, rows that are no
 *   multiple of their type's block
 */
export function encodeGgufHeader(
  metadata: ReadonlyMap<string, GgufValue>,
  plans: readonly TensorPlan[],
): EncodedHeader {
  if (metadata.has(ALIGNMENT_KEY))
    throw new ConfigError(`"${ALIGNMENT_KEY}" is ${DEFAULT_ALIGNMENT} and not to be set.`);
  const writer = new Writer();
  for (const character of 'GGUF') writer.byte(character.charCodeAt(0));
  writer.item('uint32', VERSION, 'version');
  writer.item('uint64', plans.length, 'tensor count');
  writer.item('uint64', metadata.size, 'metadata count');
  for (const [key, value] of metadata) {
    writer.item('string', key, quote(key));
    writer.value(value, quote(key));
  }
  let offset = 0;
  const names = new Set<string>();
  const paddingBytes = plans.map(({ name, type, shape }) => {
    const sizeBytes = tensorBytes(type, shape);
    if (sizeBytes === undefined)
      throw new ConfigError(`Tensor ${quote(name)}: shape [${shape}] does not go into ${type}.`);
    if (new TextEncoder().encode(name).byteLength > MAX_NAME_BYTES || names.has(name)) {
      throw new ConfigError(`Tensor ${quote(name)}: the name is above ${MAX_NAME_BYTES} bytes, or stands twice.`);
    }
    names.add(name);
    writer.item('string', name, 'name');
    writer.item('uint32', shape.length, 'rank');
    for (const size of [...shape].reverse()) writer.item('uint64', size, 'size');
    writer.item('uint32', tensorTypes[type].code, 'type');
    writer.item('uint64', offset, 'offset');
    const next = alignUp(offset + sizeBytes, DEFAULT_ALIGNMENT);
    const padding = next - offset - sizeBytes;
    offset = next;
    return padding;
  });
  return { header: writer.finish(DEFAULT_ALIGNMENT), paddingBytes };
}

/** Smallest and largest of each whole-number type. */
const ranges: { readonly [T in GgufItemType]?: readonly [bigint, bigint] } = {
  uint8: [0n, 2n ** 8n - 1n],
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** How a number of each type is written. */
const numberWriters: { readonly [T in GgufItemType]?: (view: DataView, value: number) => void } = {
  uint8: (view, value) => view.setUint8(0, value),
  int8: (view, value) => view.setInt8(0, value),
  uint16: (view, value) => view.setUint16(0, value, true),
  int16: (view, value) => view.setInt16(0, value, true),
  uint32: (view, value) => view.setUint32(0, value, true),
  int32: (view, value) => view.setInt32(0, value, true),
  float32: (view, value) => view.setFloat32(0, value, true),
  float64: (view, value) => view.setFloat64(0, value, true),
};

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(2 ** 16);
  #length = 0;
  readonly #encoder = new TextEncoder();
  readonly #scratch = new DataView(new ArrayBuffer(8));

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  value(value: GgufValue, field: string): void {
    this.item('uint32', valueTypes[value.type].code, field);
    this.#content(value, field);
  }

  item(type: GgufItemType, value: GgufItem, field: string): void {
    if (type === 'string') {
      if (typeof value !== 'string') throw mismatch(field, type, value);
      const text = this.#encoder.encode(value);
      this.item('uint64', text.byteLength, field);
      this.#append(text);
      return;
    }
    const scratch = this.#scratch;
    const range = ranges[type];
    if (type === 'bool') {
      if (typeof value !== 'boolean') throw mismatch(field, type, value);
      scratch.setUint8(0, Number(value));
    } else if (range !== undefined) {
      const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
      if (!isWhole || BigInt(value) < range[0] || BigInt(value) > range[1]) throw mismatch(field, type, value);
      if (valueTypes[type].bytes === 8) scratch.setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true);
      else numberWriters[type]!(scratch, Number(value));
    } else {
      if (typeof value !== 'number') throw mismatch(field, type, value);
      numberWriters[type]!(scratch, value);
    }
    this.#append(new Uint8Array(scratch.buffer, 0, valueTypes[type].bytes));
  }

  /** All bytes, with zeros up to a multiple of `alignment`. */
  finish(alignment: number): Uint8Array {
    const end = alignUp(this.#length, alignment);
    this.#reserve(end - this.#length);
    return this.#bytes.slice(0, end);
  }

  #content(value: GgufValue, field: string): void {
    if (value.type !== 'array') {
      this.item(value.type, value.value, field);
      return;
    }
    this.item('uint32', valueTypes[value.items].code, field);
    this.item('uint64', value.value.length, field);
    if (value.items === 'array') for (const inner of value.value) this.#content(inner, field);
    else for (const item of value.value) this.item(value.items, item, field);
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  #reserve(sizeBytes: number): void {
    if (this.#length + sizeBytes <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.byteLength, this.#length + sizeBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function mismatch(field: string, type: string, value: unknown): ConfigError {
  const got = typeof value === 'string' ? 'a string' : String(value);
  return new ConfigError(`${field}: expected a ${type}, got ${got}.`);
}
