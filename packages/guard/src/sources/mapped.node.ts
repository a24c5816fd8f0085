/**
 * An ONNX file without its large tensors, which it names by their places in that same file instead. onnxruntime maps such
 * tensors, where it would otherwise read the whole file, copy every tensor and keep both: of a model of 460 MB that saves
 * 380 MB. Source: onnx.proto; onnx/docs/ExternalData.md
 */
import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface MappedModel {
  /** The model, its tensors elsewhere. */
  readonly bytes: Uint8Array;
  /** Where these lie. */
  readonly folder: string;
}

const LEAST_TENSOR_BYTES = 1024;
const LEAST_BYTES = 100e6; // of a file: less is read at once
const BUFFER_BYTES = 65_536;
/** Numbers of fields. */
const MODEL = { graph: 7 };
const GRAPH = { initializer: 5 };
const TENSOR = { rawData: 9, externalData: 13, dataLocation: 14 };
const EXTERNAL = 1; // TensorProto.DataLocation

/** @returns `null` where there is little to gain, or the file is none that this reads */
export function mapTensors(file: string, leastBytes = LEAST_BYTES): MappedModel | null {
  const real = realpathSync(file);
  const reader = new FileReader(real);
  try {
    const writer = new Skeleton(reader, path.basename(real));
    const bytes = writer.model();
    return writer.mappedBytes < leastBytes ? null : { bytes, folder: path.dirname(real) };
  } catch (error) {
    if (error instanceof RangeError) return null; // onnxruntime says what is wrong with it
    throw error;
  } finally {
    reader.close();
  }
}

class Skeleton {
  mappedBytes = 0;
  readonly #reader: FileReader;
  readonly #location: string;

  constructor(reader: FileReader, location: string) {
    this.#reader = reader;
    this.#location = location;
  }

  model(): Uint8Array {
    const asGraph = (end: number) => this.#message(end, { [GRAPH.initializer]: (to) => this.#tensor(to) });
    return this.#message(Infinity, { [MODEL.graph]: asGraph });
  }

  #tensor(end: number): Uint8Array {
    const places: Uint8Array[] = [];
    const dropped = (to: number): Uint8Array | null => {
      const [begin, length] = [this.#reader.at, to - this.#reader.at];
      if (length < LEAST_TENSOR_BYTES) return null;
      this.#reader.at = to;
      this.mappedBytes += length;
      for (const [key, value] of Object.entries({ location: this.#location, offset: begin, length })) {
        const entry = Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(String(value)))]);
        places.push(field(TENSOR.externalData, entry));
      }
      places.push(Buffer.concat([varint(TENSOR.dataLocation << 3), varint(EXTERNAL)]));
      return new Uint8Array(0);
    };
    const rest = this.#message(end, {}, { [TENSOR.rawData]: dropped });
    return Buffer.concat([rest, ...places]);
  }

  /**
   * Copies the fields of a message up to `end`.
   * @param inner   fields that are messages, and what becomes of them
   * @param dropped fields that may go: `null` for one that stays
   */
  #message(
    end: number,
    inner: Readonly<Record<number, (end: number) => Uint8Array>>,
    dropped: Readonly<Record<number, (end: number) => Uint8Array | null>> = {},
  ): Uint8Array {
    const reader = this.#reader;
    const parts: Uint8Array[] = [];
    while (reader.at < end && !(end === Infinity && reader.isAtEnd())) {
      const tag = reader.varint();
      const [number, wire] = [Math.floor(tag / 8), tag % 8];
      if (wire === 0) parts.push(varint(tag), varint(reader.varint()));
      else if (wire === 5 || wire === 1) parts.push(varint(tag), reader.bytes(wire === 5 ? 4 : 8));
      else if (wire === 2) {
        const length = reader.varint();
        const to = reader.at + length;
        if (to > end) throw new RangeError('A field ends behind its message.');
        const made = inner[number]?.(to);
        if (made) parts.push(field(number, made));
        else if (!dropped[number]?.(to)) parts.push(field(number, reader.bytes(length)));
      } else throw new RangeError(`No field has wire type ${wire}.`);
    }
    return Buffer.concat(parts);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function field(number: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + 2), varint(payload.length), payload]);
}

/** A file from its beginning on, a buffer at a time; what is skipped is not read. */
class FileReader {
  at = 0;
  readonly #file: number;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #begin = 0;
  #length = 0;

  constructor(name: string) {
    this.#file = openSync(name, 'r');
  }

  isAtEnd(): boolean {
    return !this.#fill();
  }

  byte(): number {
    if (!this.#fill()) throw new RangeError('The file ends inside a field.');
    return this.#buffer[this.at++ - this.#begin]!;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128 && Number.isSafeInteger(value)) return value;
    }
    throw new RangeError('A number is too large.');
  }

  bytes(length: number): Uint8Array {
    if (length > 2 ** 30) throw new RangeError('A field is too large.');
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const read = readSync(this.#file, bytes, at, length - at, this.at + at);
      if (read === 0) throw new RangeError('The file ends inside a field.');
      at += read;
    }
    this.at += length;
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Whether there is a byte at `at`. */
  #fill(): boolean {
    if (this.at >= this.#begin && this.at < this.#begin + this.#length) return true;
    this.#begin = this.at;
    this.#length = readSync(this.#file, this.#buffer, 0, BUFFER_BYTES, this.at);
    return this.#length > 0;
  }
}
