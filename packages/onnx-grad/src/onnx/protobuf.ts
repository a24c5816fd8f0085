/**
 * Protobuf's wire format: the scalars that ONNX and SentencePiece use, read with every bound checked, and written.
 *
 * Source: protobuf.dev/programming-guides/encoding
 */

export const WireType = { Varint: 0, Bit64: 1, LengthDelimited: 2, StartGroup: 3, EndGroup: 4, Bit32: 5 } as const;
export type WireType = (typeof WireType)[keyof typeof WireType];

const MOST_VARINT_BYTES = 10; // 64 bits, 7 to a byte
const MOST_WIRE_TYPE = 5;

/** Stands at a value and moves past it when it is read. @throws RangeError for bytes that end too early or are no value */
export class BinaryReader {
  readonly len: number;
  pos = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.len = bytes.byteLength;
  }

  tag(): [fieldNumber: number, wireType: WireType] {
    const [low, high] = this.#varint();
    const [number, wireType] = [low >>> 3, low & 7];
    if (high !== 0 || number === 0 || wireType > MOST_WIRE_TYPE) throw new RangeError('illegal tag');
    return [number, wireType as WireType];
  }

  /** Of a negative number the upper half is all ones, and says nothing more. */
  int32(): number {
    return this.#varint()[0] | 0;
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  uint64(): bigint {
    const [low, high] = this.#varint();
    return (BigInt(high) << 32n) | BigInt(low);
  }

  bool(): boolean {
    const [low, high] = this.#varint();
    return low !== 0 || high !== 0;
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A view, no copy. */
  bytes(): Uint8Array {
    const [length, high] = this.#varint();
    if (high !== 0) throw new RangeError('a length beyond 2^32');
    const begin = this.#take(length);
    return this.#bytes.subarray(begin, begin + length);
  }

  skip(wireType: WireType): void {
    if (wireType === WireType.Varint) this.#varint();
    else if (wireType === WireType.Bit64) this.#take(8);
    else if (wireType === WireType.Bit32) this.#take(4);
    else if (wireType === WireType.LengthDelimited) this.bytes();
    else throw new RangeError('groups are not supported');
  }

  /** @returns where the taken bytes begin */
  #take(count: number): number {
    const begin = this.pos;
    if (count > this.len - begin) throw new RangeError('the bytes end too early');
    this.pos += count;
    return begin;
  }

  /** @returns the lower and upper 32 bits, unsigned; bits beyond 64 are dropped */
  #varint(): [low: number, high: number] {
    let low = 0;
    let high = 0;
    for (let index = 0; index < MOST_VARINT_BYTES; index++) {
      const byte = this.#bytes[this.#take(1)]!;
      const [bits, shift] = [byte & 0x7f, 7 * index];
      if (shift < 32) low |= bits << shift;
      if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) return [low >>> 0, high >>> 0];
    }
    throw new RangeError('a number of more than ten bytes');
  }
}

/** Bytes that grow. */
export class BinaryWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  tag(fieldNumber: number, wireType: WireType): this {
    return this.varint(BigInt(fieldNumber) * 8n + BigInt(wireType));
  }

  /** @param value a negative one is written as its 64 bits */
  varint(value: bigint): this {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#push(Number(rest & 0x7fn) | 0x80);
    this.#push(Number(rest));
    return this;
  }

  float(value: number): this {
    const four = new DataView(new ArrayBuffer(4));
    four.setFloat32(0, value, true);
    return this.raw(new Uint8Array(four.buffer));
  }

  /** With its length before it. */
  bytes(value: Uint8Array): this {
    return this.varint(BigInt(value.byteLength)).raw(value);
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #push(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.byteLength) return;
    const longer = new Uint8Array(Math.max(needed, 2 * this.#bytes.byteLength));
    longer.set(this.#bytes);
    this.#bytes = longer;
  }
}
