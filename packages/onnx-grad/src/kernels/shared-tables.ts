import { ConfigError } from '../errors.ts';

/** Shared buffers that grow in place: typed arrays over them, in every thread, follow their length. */

const MAX_BYTES = 2 ** 28; // address space only: pages are taken when they are written

export function growableBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(65_536, { maxByteLength: MAX_BYTES });
}

/** @throws ConfigError beyond 256 MiB */
export function ensureBytes(buffer: SharedArrayBuffer, bytes: number): void {
  if (bytes <= buffer.byteLength) return;
  if (bytes > MAX_BYTES) throw new ConfigError(`Too much work for one call: ${bytes} bytes of job data.`);
  buffer.grow(2 ** Math.ceil(Math.log2(bytes)));
}

/** Lists of row numbers and row states that jobs refer to. */
export class SharedLists {
  /** As 32-bit integers. */
  readonly words: Int32Array;
  /** The same memory as bytes. */
  readonly bytes: Uint8Array;
  readonly #buffer: SharedArrayBuffer;
  #end = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  clear(): void {
    this.#end = 0;
  }

  /** Copies integers in. @returns the index of the first in `words` */
  addWords(values: ArrayLike<number>): number {
    const start = this.#reserve(values.length);
    this.words.set(values, start);
    return start;
  }

  /** Copies bytes in. @returns the index of the first in `bytes` */
  addBytes(values: Uint8Array): number {
    const start = this.#reserve(Math.ceil(values.length / 4)) * 4;
    this.bytes.set(values, start);
    return start;
  }

  #reserve(words: number): number {
    const start = this.#end;
    this.#end += words;
    ensureBytes(this.#buffer, this.#end * 4);
    return start;
  }
}
