import fc from 'fast-check';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { encodeGgufHeader, type TensorPlan } from './encode.ts';
import { parseGgufHeader } from './parse.ts';
import {
  type GgufHeader,
  type GgufItem,
  type GgufItemType,
  type GgufTensorType,
  type GgufValue,
  tensorBytes,
  tensorTypes,
  valueTypes,
} from './types.ts';

/** Bytes of a header, part by part: numbers are uint32, bigints uint64, strings have their length before them. */
function bytesOf(...parts: (number | bigint | string | Uint8Array)[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => {
        if (part instanceof Uint8Array) return part;
        const size = typeof part === 'number' ? 4 : 8;
        const buffer = Buffer.alloc(size);
        if (typeof part === 'number') buffer.writeUInt32LE(part);
        else buffer.writeBigUInt64LE(typeof part === 'string' ? BigInt(Buffer.byteLength(part)) : part);
        return typeof part === 'string' ? Buffer.concat([buffer, Buffer.from(part)]) : buffer;
      }),
    ),
  );
}

const MAGIC = Buffer.from('GGUF');
const head = (tensors: bigint, metadata: bigint, version = 3) => bytesOf(MAGIC, version, tensors, metadata);
const file = (...parts: Parameters<typeof bytesOf>) => bytesOf(...parts);

const parse = (bytes: Uint8Array, fileSize = bytes.byteLength) => parseGgufHeader(bytes, { file: 'm.gguf', fileSize });

/** A tensor's entry of two float32 at `offset`. */
const tensor = (name: string, offset: bigint, sizes = [2n], type = 0) =>
  bytesOf(name, sizes.length, ...sizes, type, offset);
/** The entries, and data after them. */
const withData = (count: bigint, entries: Uint8Array[], dataBytes: number) => {
  const start = bytesOf(head(count, 0n), ...entries);
  const padding = Math.ceil(start.byteLength / 32) * 32 - start.byteLength;
  return bytesOf(start, new Uint8Array(padding + dataBytes));
};
const [UINT32, STRING, ARRAY, BOOL] = [4, 8, 9, 7];

describe('reading', () => {
  it('gives metadata, and types, shapes and positions of tensors, of versions 2 and 3', () => {
    for (const version of [2, 3]) {
      const entries = [bytesOf('a', UINT32, 7), bytesOf('b', ARRAY, STRING, 2n, 'x', ''), tensor('w', 32n, [3n, 1n])];
      const start = bytesOf(head(1n, 2n, version), ...entries);
      const begin = Math.ceil(start.byteLength / 32) * 32;
      const { metadata, tensors } = parse(start, begin + 44) as GgufHeader;
      expect([...metadata]).toEqual([
        ['a', { type: 'uint32', value: 7 }],
        ['b', { type: 'array', items: 'string', value: ['x', ''] }],
      ]);
      expect(tensors.get('w')).toEqual({ type: 'f32', shape: [1, 3], begin: begin + 32, end: begin + 44 });
    }
  });

  it('takes another alignment, files without tensors, and tensors out of order', () => {
    const aligned = bytesOf(head(1n, 1n), 'general.alignment', UINT32, 8, tensor('w', 8n));
    expect((parse(aligned, 200) as GgufHeader).tensors.get('w')!.begin % 8).toBe(0);
    expect((parse(head(0n, 0n)) as GgufHeader).tensors.size).toBe(0);
    expect((parse(withData(2n, [tensor('a', 32n), tensor('b', 0n)], 64)) as GgufHeader).tensors.size).toBe(2);
  });

  it('says how many bytes it needs, of files it has the beginning of, and never more than a few at a time', () => {
    const whole = withData(1n, [tensor('w', 0n)], 8);
    for (let bytes = 0, steps = 0; ; steps++) {
      const header = parse(whole.subarray(0, bytes), whole.byteLength);
      if (!('needs' in header)) break;
      expect(header.needs).toBeGreaterThan(bytes);
      expect(header.needs).toBeLessThanOrEqual(whole.byteLength);
      expect(steps).toBeLessThan(100);
      bytes = header.needs;
    }
  });

  it.each([
    ['no bytes', file(), 'magic takes 4 bytes'],
    ['another magic', bytesOf(Buffer.from('GGML'), 3, 0n, 0n), 'magic is not "GGUF"'],
    ['version 1', head(0n, 0n, 1), 'version is 1, expected 2 or 3'],
    ['a file of the other endianness', head(0n, 0n, 0x03000000), 'big-endian'],
    ['more tensors than any file has', head(2n ** 63n, 0n), 'tensor count is 9223372036854775808'],
    ['more metadata than any file has', head(0n, 2n ** 40n), 'metadata count is'],
    ['a count beyond the file', head(0n, 3n), 'length of metadata key 0 takes 8 bytes'],
    ['a key beyond the file', bytesOf(head(0n, 1n), 60000n), 'metadata key 0 takes 60000 bytes'],
    [
      'a key beyond the limit',
      bytesOf(head(0n, 1n), 2n ** 64n - 1n),
      'length of metadata key 0 is 18446744073709551615',
    ],
    ['an empty key', bytesOf(head(0n, 1n), '', UINT32, 1), 'metadata key 0 is empty'],
    ['a key that stands twice', bytesOf(head(0n, 2n), 'a', UINT32, 1, 'a', UINT32, 1), '"a" stands twice'],
    ['an unknown type', bytesOf(head(0n, 1n), 'a', 13, 1), '"a" has type 13'],
    ['a value that is cut off', bytesOf(head(0n, 1n), 'a', 12, 1), '"a" takes 8 bytes'],
    ['a string beyond the file', bytesOf(head(0n, 1n), 'a', STRING, 1000n), '"a" takes 1000 bytes'],
    ['a string that is not UTF-8', bytesOf(head(0n, 1n), 'a', STRING, 1n, Uint8Array.of(0xff)), 'not UTF-8'],
    ['a boolean of 2', bytesOf(head(0n, 1n), 'a', BOOL, Uint8Array.of(2)), 'neither 0 nor 1'],
    ['an array beyond the limit', bytesOf(head(0n, 1n), 'a', ARRAY, 0, 2n ** 62n), 'count of "a" is'],
    ['an array beyond the file', bytesOf(head(0n, 1n), 'a', ARRAY, UINT32, 1000n, 1), '"a" takes 4000 bytes'],
    ['strings beyond the file', bytesOf(head(0n, 1n), 'a', ARRAY, STRING, 1000n, 0n), '"a" takes 8000 bytes'],
    ['arrays beyond the file', bytesOf(head(0n, 1n), 'a', ARRAY, ARRAY, 1000n, 0, 0n), '"a" takes 12000 bytes'],
    [
      'arrays in arrays in arrays',
      bytesOf(head(0n, 1n), 'a', ARRAY, ...Array.from({ length: 50 }, () => [ARRAY, 1n]).flat(), UINT32, 0n),
      'more than 4 deep',
    ],
    ['an array of an unknown type', bytesOf(head(0n, 1n), 'a', ARRAY, 99, 0n), 'items of "a" has type 99'],
    ['an alignment that is no power of two', bytesOf(head(0n, 1n), 'general.alignment', UINT32, 24), 'power of two'],
    ['an alignment of zero', bytesOf(head(0n, 1n), 'general.alignment', UINT32, 0), 'power of two'],
    ['an alignment that is text', bytesOf(head(0n, 1n), 'general.alignment', STRING, '32'), 'must be a uint32'],
    ['a long tensor name', withData(1n, [tensor('x'.repeat(65), 0n)], 8), 'length of name of tensor 0 is 65'],
    ['a tensor named twice', withData(2n, [tensor('a', 0n), tensor('a', 32n)], 64), 'tensor "a" stands twice'],
    ['five dimensions', withData(1n, [tensor('a', 0n, [1n, 1n, 1n, 1n, 1n])], 8), 'has 5 dimensions'],
    ['a rank beyond all', bytesOf(head(1n, 0n), 'a', 2 ** 32 - 1), 'has 4294967295 dimensions'],
    [
      'a negative size',
      withData(1n, [tensor('a', 0n, [2n ** 64n - 1n])], 8),
      'size of tensor "a" is 18446744073709551615',
    ],
    ['sizes that overflow', withData(1n, [tensor('a', 0n, [2n ** 40n, 2n ** 40n])], 8), 'no overflow'],
    ['an unknown tensor type', withData(1n, [tensor('a', 0n, [2n], 31)], 8), 'has type 31'],
    ['rows that are no whole number of blocks', withData(1n, [tensor('a', 0n, [33n], 8)], 80), 'multiple of 32'],
    ['an offset that is not aligned', withData(1n, [tensor('a', 4n)], 32), 'has offset 4, expected a multiple of 32'],
    ['an offset beyond the file', withData(1n, [tensor('a', 2n ** 50n)], 8), 'but the file has'],
    ['an offset beyond the safe integers', withData(1n, [tensor('a', 2n ** 63n)], 8), 'offset of tensor "a" is'],
    ['data that are cut off', withData(1n, [tensor('a', 0n)], 7), 'It may be cut off'],
    [
      'tensors that overlap',
      withData(2n, [tensor('a', 0n, [64n]), tensor('b', 32n)], 512),
      'overlaps the tensor before',
    ],
    ['two tensors in one place', withData(2n, [tensor('a', 0n), tensor('b', 0n)], 64), 'overlaps the tensor before'],
  ])('refuses %s', (_, bytes, problem) => {
    expect(() => parse(bytes)).toThrow(FormatError);
    expect(() => parse(bytes)).toThrow(problem);
  });

  it('cuts long keys in errors', () => {
    const key = 'x'.repeat(60_000);
    expect(() => parse(bytesOf(head(0n, 1n), key, 99))).toThrow(/^.{1,250}$/);
  });

  it('gives a header, a wish for more or a FormatError for any bytes', () => {
    const good = withData(2n, [tensor('a', 0n), tensor('b', 32n, [32n, 2n], 8)], 128);
    const rich = encodeGgufHeader(
      new Map<string, GgufValue>([
        ['a', { type: 'array', items: 'array', value: [{ type: 'array', items: 'bool', value: [true] }] }],
        ['b', { type: 'string', value: 'text' }],
      ]),
      [{ name: 'w', type: 'f16', shape: [2, 3] }],
    ).header;
    const mutated = fc.constantFrom(good, rich).chain((original) =>
      fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
        const bytes = original.slice();
        for (const [position, byte] of changes) bytes[position] = byte;
        return bytes;
      }),
    );
    const random = fc.uint8Array({ maxLength: 96 }).map((bytes) => bytesOf(head(1n, 2n), bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, random), fc.nat(300), (bytes, more) => {
        try {
          parse(bytes, bytes.byteLength + more);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writing', () => {
  const whole = (bits: number, isSigned: boolean) => {
    const [min, max] = isSigned
      ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
      : [0n, 2n ** BigInt(bits) - 1n];
    return fc.bigInt({ min, max }).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
  };
  const items: { readonly [T in GgufItemType]: fc.Arbitrary<GgufItem> } = {
    uint8: whole(8, false),
    int8: whole(8, true),
    uint16: whole(16, false),
    int16: whole(16, true),
    uint32: whole(32, false),
    int32: whole(32, true),
    float32: fc.float({ noNaN: true }),
    bool: fc.boolean(),
    string: fc.string({ unit: 'grapheme' }),
    uint64: whole(64, false),
    int64: whole(64, true),
    float64: fc.double({ noNaN: true }),
  };
  const itemType = fc.constantFrom(...(Object.keys(items) as GgufItemType[]));
  const scalar = itemType.chain((type) => items[type].map((value): GgufValue => ({ type, value })));
  const list = itemType.chain((type) =>
    fc.array(items[type], { maxLength: 5 }).map((value): GgufValue => ({ type: 'array', items: type, value })),
  );
  const lists = fc.array(list, { maxLength: 3 }).map((value): GgufValue => ({ type: 'array', items: 'array', value }));
  const key = fc.string({ minLength: 1 }).filter((text) => text !== 'general.alignment');
  const plan = fc
    .tuple(
      fc.constantFrom(...(Object.keys(tensorTypes) as GgufTensorType[])),
      fc.array(fc.nat(3), { maxLength: 3 }),
      fc.nat(2),
    )
    .map(([type, rows, blocks]) => ({ type, shape: [...rows, blocks * tensorTypes[type].block] }));

  it('gives back what it was given, values of every type and tensors of every type', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.oneof(scalar, list, lists))), fc.array(plan), (entries, shapes) => {
        const metadata = new Map(entries);
        const plans: TensorPlan[] = shapes.map((rest, i) => ({ name: `t${i}`, ...rest }));
        const { header, paddingBytes } = encodeGgufHeader(metadata, plans);
        expect(header.byteLength % 32).toBe(0);
        let position = header.byteLength;
        const expected = plans.map(({ name, type, shape }, i) => {
          const [begin, end] = [position, position + tensorBytes(type, shape)!];
          position = end + paddingBytes[i]!;
          expect(position % 32).toBe(0);
          return [name, { type, shape, begin, end }];
        });
        const read = parse(header, position) as GgufHeader;
        expect([...read.metadata]).toEqual([...metadata]);
        expect([...read.tensors]).toEqual(expected);
      }),
    );
  });

  it('covers every type of the format', () => {
    expect(Object.keys(items).sort()).toEqual(
      Object.keys(valueTypes)
        .filter((type) => type !== 'array')
        .sort(),
    );
  });

  it.each([
    ['a number that does not fit', { type: 'uint8', value: 256 }, '"a": expected a uint8, got 256'],
    ['a negative count', { type: 'uint32', value: -1 }, 'got -1'],
    ['a fraction', { type: 'int32', value: 0.5 }, 'got 0.5'],
    ['a number in place of text', { type: 'string', value: 1 }, 'expected a string, got 1'],
    ['text in place of a number', { type: 'float32', value: 'secret' }, 'expected a float32, got a string'],
    ['a bigint beyond 64 bits', { type: 'uint64', value: 2n ** 64n }, 'got 18446744073709551616'],
  ] as const)('refuses %s', (_, value, problem) => {
    expect(() => encodeGgufHeader(new Map([['a', value]]), [])).toThrow(ConfigError);
    expect(() => encodeGgufHeader(new Map([['a', value]]), [])).toThrow(problem);
  });

  it.each([
    ['a name of 64 bytes', [{ name: 'x'.repeat(64), type: 'f32', shape: [1] }], 'above 63 bytes'],
    ['a name that stands twice', [...'aa'].map((name) => ({ name, type: 'f32', shape: [1] })), 'stands twice'],
    ['rows that are no whole number of blocks', [{ name: 'a', type: 'q8_0', shape: [33] }], 'does not go into q8_0'],
  ] as [string, TensorPlan[], string][])('refuses %s', (_, plans, problem) => {
    expect(() => encodeGgufHeader(new Map(), plans)).toThrow(problem);
  });
});
