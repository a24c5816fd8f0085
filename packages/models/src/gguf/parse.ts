import type { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { Cursor, NeedsMore, type Place } from './cursor.ts';
import {
  type GgufHeader,
  type GgufItem,
  type GgufItemType,
  type GgufTensor,
  type GgufTensorType,
  type GgufValue,
  type GgufValueType,
  tensorBytes,
  tensorTypes,
  valueTypes,
} from './types.ts';

/**
 * The header of a GGUF file: "GGUF", the version, two counts, metadata, and where each tensor lies. Pure; files are in
 * read.node.ts. Sizes are checked before anything of that size is made.
 *
 * Source: ggml, docs/gguf.md; llama.cpp, ggml/src/gguf.cpp `gguf_init_from_reader`, whose rules are kept
 */

const MAGIC = 0x46554747; // "GGUF", little-endian
const VERSIONS = [2, 3]; // little-endian they are the same; version 1 had counts of 32 bits
export const DEFAULT_ALIGNMENT = 32;
export const ALIGNMENT_KEY = 'general.alignment';

const MAX_ALIGNMENT = 2 ** 20; // ours
const MAX_ENTRIES = 100_000; // ours, of metadata and of tensors each: the largest files have some thousands
const MAX_ITEMS = 16_777_216; // ours, of one array: the largest vocabularies have 260,000 tokens and 500,000 merges
const MAX_STRING_BYTES = 64 * 2 ** 20; // ours
const MAX_KEY_BYTES = 65_535; // docs/gguf.md
const MAX_NAME_BYTES = 64; // docs/gguf.md
const MAX_RANK = 4; // ggml.h, GGML_MAX_DIMS
const MAX_NESTING = 4; // ours: arrays in arrays

/**
 * Reads a header.
 * @param bytes the file's first bytes, all or some
 * @returns the header, or how many bytes of the file are needed for it
 * @throws FormatError naming file and field: bad magic, version, counts, types, names given twice, sizes and offsets
 */
export function parseGgufHeader(bytes: Uint8Array, place: Place): GgufHeader | { readonly needs: number } {
  try {
    return parse(new Cursor(bytes, place));
  } catch (error) {
    if (error instanceof NeedsMore) return { needs: error.lengthBytes };
    throw error;
  }
}

function parse(cursor: Cursor): GgufHeader {
  if (cursor.uint32('magic') !== MAGIC) throw cursor.fail('magic', 'is not "GGUF". Is this a GGUF file?');
  const version = readVersion(cursor);
  const tensorCount = cursor.count(MAX_ENTRIES, 'tensor count');
  const metadataCount = cursor.count(MAX_ENTRIES, 'metadata count');
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = cursor.string(MAX_KEY_BYTES, `metadata key ${i}`);
    if (key === '') throw cursor.fail(`metadata key ${i}`, 'is empty.');
    if (metadata.has(key)) throw cursor.fail(quote(key), 'stands twice in the metadata.');
    metadata.set(key, readValue(cursor, quote(key), readValueType(cursor, quote(key)), 0));
  }
  const infos = Array.from({ length: tensorCount }, (_, i) => readTensor(cursor, i));
  return { version, metadata, tensors: locate(infos, cursor, readAlignment(metadata, cursor)) };
}

function readVersion(cursor: Cursor): number {
  const version = cursor.uint32('version');
  if (VERSIONS.includes(version)) return version;
  const remedy = (version & 0xffff) === 0 ? ' The file is big-endian, which is not supported.' : '';
  throw cursor.fail('version', `is ${version}, expected ${VERSIONS.join(' or ')}.${remedy}`);
}

const valueTypeOf = new Map(Object.entries(valueTypes).map(([name, { code }]) => [code, name as GgufValueType]));
const tensorTypeOf = new Map(Object.entries(tensorTypes).map(([name, { code }]) => [code, name as GgufTensorType]));

function readValueType(cursor: Cursor, field: string): GgufValueType {
  const code = cursor.uint32(`type of ${field}`);
  const type = valueTypeOf.get(code as 0);
  if (type === undefined) throw cursor.fail(field, `has type ${code}, expected 0 to ${valueTypeOf.size - 1}.`);
  return type;
}

/** How each type of fixed size is read. */
const readers: { readonly [T in Exclude<GgufItemType, 'string'>]: (view: DataView, at: number) => GgufItem } = {
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint16: (view, at) => view.getUint16(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int32: (view, at) => view.getInt32(at, true),
  float32: (view, at) => view.getFloat32(at, true),
  bool: (view, at) => view.getUint8(at) !== 0,
  uint64: (view, at) => toSafe(view.getBigUint64(at, true)),
  int64: (view, at) => toSafe(view.getBigInt64(at, true)),
  float64: (view, at) => view.getFloat64(at, true),
};

function toSafe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const MIN_STRING_BYTES = 8; // its length
const MIN_ARRAY_BYTES = 12; // its type and length

function readValue(cursor: Cursor, field: string, type: GgufValueType, depth: number): GgufValue {
  if (type !== 'array') return { type, value: readItems(cursor, field, type, 1)[0]! };
  if (depth === MAX_NESTING) throw cursor.fail(field, `holds arrays more than ${MAX_NESTING} deep.`);
  const items = readValueType(cursor, `items of ${field}`);
  const count = cursor.count(MAX_ITEMS, `count of ${field}`);
  if (items !== 'array') return { type, items, value: readItems(cursor, field, items, count) };
  cursor.expect(count * MIN_ARRAY_BYTES, field);
  const value = Array.from({ length: count }, () => readValue(cursor, field, 'array', depth + 1));
  return { type, items, value };
}

function readItems(cursor: Cursor, field: string, type: GgufItemType, count: number): GgufItem[] {
  if (type === 'string') {
    cursor.expect(count * MIN_STRING_BYTES, field);
    return Array.from({ length: count }, () => cursor.string(MAX_STRING_BYTES, field));
  }
  const { bytes } = valueTypes[type];
  const view = cursor.view(count * bytes, field);
  return Array.from({ length: count }, (_, i) => {
    if (type === 'bool' && view.getUint8(i) > 1) throw cursor.fail(field, 'has a boolean that is neither 0 nor 1.');
    return readers[type](view, i * bytes);
  });
}

/** A tensor's entry; `offset` counts from where the data begin. */
interface TensorInfo {
  readonly name: string;
  readonly type: GgufTensorType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly sizeBytes: number;
}

function readTensor(cursor: Cursor, index: number): TensorInfo {
  const name = cursor.string(MAX_NAME_BYTES, `name of tensor ${index}`);
  const field = `tensor ${quote(name)}`;
  const rank = cursor.uint32(`rank of ${field}`);
  if (rank > MAX_RANK) throw cursor.fail(field, `has ${rank} dimensions, expected at most ${MAX_RANK}.`);
  const sizes = Array.from({ length: rank }, () => cursor.count(Number.MAX_SAFE_INTEGER, `size of ${field}`));
  const shape = sizes.reverse();
  const code = cursor.uint32(`type of ${field}`);
  const type = tensorTypeOf.get(code as 0);
  if (type === undefined) throw cursor.fail(field, `has type ${code}, which we do not know.`);
  const sizeBytes = tensorBytes(type, shape);
  if (sizeBytes === undefined) {
    const { block } = tensorTypes[type];
    throw cursor.fail(
      field,
      `has shape [${shape}] of ${type}, expected rows of a multiple of ${block}, and no overflow.`,
    );
  }
  return { name, type, shape, sizeBytes, offset: cursor.count(Number.MAX_SAFE_INTEGER, `offset of ${field}`) };
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>, cursor: Cursor): number {
  const entry = metadata.get(ALIGNMENT_KEY) ?? { type: 'uint32', value: DEFAULT_ALIGNMENT };
  const { type, value } = entry;
  const isPower =
    typeof value === 'number' && value > 0 && value <= MAX_ALIGNMENT && Number.isInteger(Math.log2(value));
  if (type !== 'uint32' || !isPower) {
    throw cursor.fail(quote(ALIGNMENT_KEY), `must be a uint32, a power of two up to ${MAX_ALIGNMENT}.`);
  }
  return value;
}

/** Offsets to positions: each aligned, inside the file, and no byte in two tensors. */
function locate(infos: readonly TensorInfo[], cursor: Cursor, alignment: number): Map<string, GgufTensor> {
  const { fileSize } = cursor.place;
  const start = alignUp(cursor.position, alignment);
  const fail = ({ name }: TensorInfo, problem: string): FormatError => cursor.fail(`tensor ${quote(name)}`, problem);
  const tensors = new Map<string, GgufTensor>();
  for (const info of infos) {
    const { name, type, shape, offset, sizeBytes } = info;
    const [begin, end] = [start + offset, start + offset + sizeBytes];
    if (tensors.has(name)) throw fail(info, 'stands twice in the file.');
    if (offset % alignment !== 0) throw fail(info, `has offset ${offset}, expected a multiple of ${alignment}.`);
    if (!(end <= fileSize)) {
      throw fail(info, `ends at byte ${end}, but the file has ${fileSize}. It may be cut off.`);
    }
    tensors.set(name, { type, shape, begin, end });
  }
  let reached = start;
  for (const info of [...infos].sort((a, b) => a.offset - b.offset || a.sizeBytes - b.sizeBytes)) {
    if (start + info.offset < reached) throw fail(info, 'overlaps the tensor before it.');
    reached = start + info.offset + info.sizeBytes;
  }
  return tensors;
}

export function alignUp(position: number, alignment: number): number {
  return Math.ceil(position / alignment) * alignment;
}
