import { FormatError } from 'onnx-grad';

/** Reading the beginning of a file piece by piece, little-endian, never past what is there. */

export interface Place {
  readonly file: string;
  readonly fileSize: number;
}

/** The bytes at hand end before what is read, but the file goes on: read it up to `lengthBytes` and begin again. */
export class NeedsMore extends Error {
  readonly lengthBytes: number;
  constructor(lengthBytes: number) {
    super(`internal: ${lengthBytes} bytes of the file are needed.`);
    this.lengthBytes = lengthBytes;
  }
}

export class Cursor {
  position = 0;
  readonly place: Place;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** @param bytes the file's first bytes, all or some */
  constructor(bytes: Uint8Array, place: Place) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.place = place;
  }

  fail(field: string, problem: string): FormatError {
    return new FormatError(`${this.place.file}: ${field} ${problem}`, { file: this.place.file, field });
  }

  /** The position of the next bytes, which are then behind the cursor. @throws FormatError where the file ends before */
  take(sizeBytes: number, field: string): number {
    const [begin, { fileSize }] = [this.position, this.place];
    this.expect(sizeBytes, field);
    if (begin + sizeBytes > this.#bytes.byteLength) {
      if (this.#bytes.byteLength >= fileSize) throw this.fail(field, 'is cut off.');
      throw new NeedsMore(begin + sizeBytes);
    }
    this.position = begin + sizeBytes;
    return begin;
  }

  /** @throws FormatError where the file has fewer bytes left than there must be */
  expect(sizeBytes: number, field: string): void {
    const left = this.place.fileSize - this.position;
    if (sizeBytes <= left) return;
    throw this.fail(field, `takes ${sizeBytes} bytes, but the file has only ${left} left. It may be cut off.`);
  }

  view(sizeBytes: number, field: string): DataView {
    const begin = this.take(sizeBytes, field);
    return new DataView(this.#view.buffer, this.#view.byteOffset + begin, sizeBytes);
  }

  uint32(field: string): number {
    return this.#view.getUint32(this.take(4, field), true);
  }

  /** An unsigned number of 64 bits that must be at most `most`. */
  count(most: number, field: string): number {
    const value = this.#view.getBigUint64(this.take(8, field), true);
    if (value > BigInt(most)) throw this.fail(field, `is ${value}, expected at most ${most}.`);
    return Number(value);
  }

  /** UTF-8 with its length before it. */
  string(mostBytes: number, field: string): string {
    const length = this.count(mostBytes, `length of ${field}`);
    const begin = this.take(length, field);
    try {
      return this.#utf8.decode(this.#bytes.subarray(begin, begin + length));
    } catch (cause) {
      throw new FormatError(`${this.place.file}: ${field} is not UTF-8.`, { file: this.place.file, field, cause });
    }
  }
}
