import { ConfigError, FormatError } from 'onnx-grad';
import { isObject, parseJsonObject, quote } from '../files/json.ts';
import { elementCount, type NamedTensor, type TensorType, tensorTypes } from './dtypes.ts';

/**
 * The safetensors format: u64 header length, JSON header, then the tensors' bytes one after the other without gaps.
 * Everything here is pure; files are in safetensors.node.ts.
 *
 * Source: huggingface/safetensors 0.8, README "Format" and tensor.rs `Metadata::validate`.
 */

export const MAX_HEADER_BYTES = 100_000_000; // tensor.rs, MAX_HEADER_SIZE
const MAX_TENSORS = 100_000; // ours: the largest published checkpoints have some ten thousand
const MAX_RANK = 32; // ours
const PREFIX_BYTES = 8;

/** Where one tensor lies. `begin` and `end` are byte positions in the file. */
export interface TensorEntry {
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Place {
  readonly file: string;
  readonly fileSize: number;
}

/**
 * Length of the JSON header in bytes.
 * @param prefix the first eight bytes of the file
 * @throws FormatError when the file is shorter than that, or the length is beyond the file or the limit of 100 MB
 */
export function readHeaderLength(prefix: Uint8Array, { file, fileSize }: Place): number {
  const place = { file, field: 'header length' };
  if (prefix.byteLength < PREFIX_BYTES || fileSize < PREFIX_BYTES) {
    throw new FormatError(`${file} has ${fileSize} bytes, too few for a safetensors header.`, place);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(`${file}: header length ${length} is above the limit of ${MAX_HEADER_BYTES} bytes.`, place);
  }
  if (length > fileSize - PREFIX_BYTES) {
    throw new FormatError(`${file}: header length ${length} goes beyond the file's ${fileSize} bytes.`, place);
  }
  return length;
}

/**
 * Parses and checks a header, strictly: what passes describes every byte of the file exactly once.
 * @param bytes    the file from its first byte to the end of the header, or more
 * @param fileSize bytes of the whole file
 * @throws FormatError naming file and tensor: bad length, JSON, keys, types, shapes, offsets, gaps, overlaps
 */
export function parseSafetensorsHeader(bytes: Uint8Array, place: Place): SafetensorsHeader {
  const { file, fileSize } = place;
  const length = readHeaderLength(bytes, place);
  const dataStart = PREFIX_BYTES + length;
  if (bytes.byteLength < dataStart) throw new FormatError(`${file}: the header is cut off.`, { file, field: 'header' });
  if (bytes[PREFIX_BYTES] !== 0x7b) {
    throw new FormatError(`${file}: the header must begin with "{". Is this a safetensors file?`, {
      file,
      field: 'header',
    });
  }
  const header = parseJsonObject(bytes.subarray(PREFIX_BYTES, dataStart), file, 'header');
  const metadata = readMetadata(header.__metadata__, file);
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  if (names.length > MAX_TENSORS) {
    const message = `${file}: ${names.length} tensors, expected at most ${MAX_TENSORS}.`;
    throw new FormatError(message, { file, field: 'header' });
  }
  const tensors = new Map(names.map((name) => [name, readEntry(name, header[name], file, dataStart)]));
  checkCoverage(tensors, file, dataStart, fileSize);
  return { tensors, metadata };
}

function readMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value) || !Object.values(value).every((entry) => typeof entry === 'string')) {
    throw new FormatError(`${file}: __metadata__ must map strings to strings.`, { file, field: '__metadata__' });
  }
  return value as Record<string, string>;
}

const typeOfCode = new Map(Object.entries(tensorTypes).map(([dtype, { code }]) => [code, dtype as TensorType]));

function readEntry(name: string, value: unknown, file: string, dataStart: number): TensorEntry {
  const fail = (problem: string) =>
    new FormatError(`${file}: tensor ${quote(name)} ${problem}`, { file, field: name.slice(0, 200) });
  if (!isObject(value)) throw fail('must be an object with dtype, shape and data_offsets.');
  const { dtype: code, shape, data_offsets: offsets, ...rest } = value;
  const [unknownKey] = Object.keys(rest);
  if (unknownKey !== undefined) throw fail(`has the unknown key ${quote(unknownKey)}.`);
  const dtype = typeof code === 'string' ? typeOfCode.get(code) : undefined;
  if (dtype === undefined) {
    const got = typeof code === 'string' ? quote(code) : typeof code;
    throw fail(`has dtype ${got}. Supported: ${[...typeOfCode.keys()].join(', ')}.`);
  }
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw fail(`must have a shape of at most ${MAX_RANK} non-negative whole numbers.`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fail('must have data_offsets of two non-negative whole numbers.');
  }
  const [begin, end] = offsets as [number, number];
  const count = elementCount(shape);
  const sizeBytes = count === undefined ? Infinity : count * tensorTypes[dtype].bytes;
  if (end - begin !== sizeBytes) {
    throw fail(`has shape [${shape}] of ${code}, ${sizeBytes} bytes, but data_offsets [${begin}, ${end}].`);
  }
  return { dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** Every byte after the header belongs to exactly one tensor. */
function checkCoverage(tensors: Map<string, TensorEntry>, file: string, dataStart: number, fileSize: number): void {
  let position = dataStart;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      const problem = begin < position ? 'overlaps the tensor before it' : 'leaves a gap to the tensor before it';
      throw new FormatError(`${file}: tensor ${quote(name)} ${problem}.`, { file, field: name.slice(0, 200) });
    }
    position = end;
  }
  if (position !== fileSize) {
    const problem = position > fileSize ? 'The file may be cut off.' : 'There are bytes that belong to no tensor.';
    const message = `${file}: the header describes ${position} bytes, but the file has ${fileSize}. ${problem}`;
    throw new FormatError(message, { file, field: 'data_offsets' });
  }
}

/**
 * Lays tensors out as the reference does: large element types first so that each is aligned, then by name; the header is
 * padded with spaces to a multiple of eight bytes.
 * @returns the header with its length prefix, and the tensors' bytes in the order they follow it
 * @throws ConfigError when a tensor's bytes do not fit its shape
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): { header: Uint8Array; chunks: Uint8Array[] } {
  const ordered = [...tensors].sort(([nameA, a], [nameB, b]) => {
    return tensorTypes[b.dtype].bytes - tensorTypes[a.dtype].bytes || (nameA < nameB ? -1 : 1);
  });
  const entries: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata]];
  let position = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const { code, bytes } = tensorTypes[dtype];
    const sizeBytes = (elementCount(shape) ?? Infinity) * bytes;
    if (name === '__metadata__') throw new ConfigError('A tensor cannot be named "__metadata__".');
    if (!shape.every(isSize) || data.byteLength !== sizeBytes) {
      const message = `Tensor ${quote(name)}: shape [${shape}] of ${dtype} takes ${sizeBytes} bytes, got ${data.byteLength}.`;
      throw new ConfigError(message);
    }
    entries.push([name, { dtype: code, shape, data_offsets: [position, position + data.byteLength] }]);
    position += data.byteLength;
  }
  // written entry by entry: an object would reorder keys that look like integers and lose "__proto__"
  const json = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const text = new TextEncoder().encode(`{${json}}`);
  const header = new Uint8Array(PREFIX_BYTES + Math.ceil(text.byteLength / 8) * 8).fill(0x20); // spaces
  if (header.byteLength - PREFIX_BYTES > MAX_HEADER_BYTES)
    throw new ConfigError('The safetensors header is above 100 MB.');
  new DataView(header.buffer).setBigUint64(0, BigInt(header.byteLength - PREFIX_BYTES), true);
  header.set(text, PREFIX_BYTES);
  return { header, chunks: ordered.map(([, { data }]) => data) };
}
