import fc from 'fast-check';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { elementCount, type NamedTensor, type TensorType, tensorTypes } from './dtypes.ts';
import { encodeSafetensors, parseSafetensorsHeader } from './safetensors.ts';

function fileOf(json: string, dataBytes: number, headerLength?: number): Uint8Array {
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

const parse = (bytes: Uint8Array) => parseSafetensorsHeader(bytes, { file: 'w', fileSize: bytes.byteLength });

function concat({ header, chunks }: ReturnType<typeof encodeSafetensors>): Uint8Array {
  return new Uint8Array(Buffer.concat([header, ...chunks]));
}

const tensor = (dtype: TensorType, shape: number[], fill = 1): NamedTensor => {
  return { dtype, shape, data: new Uint8Array(elementCount(shape)! * tensorTypes[dtype].bytes).fill(fill) };
};

describe('reading', () => {
  it('gives type, shape, position and metadata', () => {
    const json = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}  ';
    const { tensors, metadata } = parse(fileOf(json, 8));
    const begin = 8 + json.length;
    expect(tensors.get('a')).toEqual({ dtype: 'float32', shape: [2, 1], begin, end: begin + 8 });
    expect(metadata).toEqual({ format: 'pt' });
  });

  it('takes scalars, empty tensors and files without tensors', () => {
    expect(parse(fileOf('{}', 0)).tensors.size).toBe(0);
    const json =
      '{"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"e":{"dtype":"F16","shape":[0,3],"data_offsets":[8,8]}}';
    expect(parse(fileOf(json, 8)).tensors.size).toBe(2);
  });

  const entry = (rest: string) => `{"a":{"dtype":"F32","shape":[2],${rest}}}`;
  it.each([
    ['no bytes', new Uint8Array(), 'too few'],
    ['a header length beyond the file', fileOf('{}', 0, 100), 'beyond the file'],
    ['a header length beyond the limit', fileOf('{}', 0, 2 ** 40), 'above the limit'],
    ['a header length beyond the safe integers', fileOf('{}', 0, 2 ** 63), 'above the limit'],
    ['a header of no bytes', fileOf('', 0), 'must begin with "{"'],
    ['a header that begins with a space', fileOf(' {}', 0), 'must begin with "{"'],
    ['a header that is not JSON', fileOf('{"a":', 0), 'not valid JSON'],
    ['a tensor named twice', fileOf('{"a":1,"a":1}', 0), 'has the key "a" twice'],
    ['a tensor that is no object', fileOf('{"a":[]}', 0), 'must be an object'],
    ['an unknown key', fileOf(entry('"data_offsets":[0,8],"x":1'), 8), 'unknown key "x"'],
    ['an unknown type', fileOf('{"a":{"dtype":"F4","shape":[],"data_offsets":[0,0]}}', 0), 'has dtype "F4"'],
    ['a type that is no string', fileOf('{"a":{"dtype":{},"shape":[],"data_offsets":[0,0]}}', 0), 'has dtype object'],
    ['a size that is no whole number', fileOf('{"a":{"dtype":"U8","shape":[0.5],"data_offsets":[0,1]}}', 1), 'shape'],
    ['a negative size', fileOf('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', 1), 'shape'],
    [
      'a size beyond the safe integers',
      fileOf('{"a":{"dtype":"U8","shape":[1e300],"data_offsets":[0,1]}}', 1),
      'shape',
    ],
    [
      'sizes whose product overflows',
      fileOf('{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}}', 1),
      'Infinity bytes',
    ],
    [
      'too many dimensions',
      fileOf(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(40)}1],"data_offsets":[0,1]}}`, 1),
      'shape',
    ],
    ['offsets in the wrong order', fileOf(entry('"data_offsets":[8,0]'), 8), 'data_offsets [8, 0]'],
    ['negative offsets', fileOf(entry('"data_offsets":[-8,0]'), 8), 'non-negative'],
    ['three offsets', fileOf(entry('"data_offsets":[0,8,16]'), 8), 'two non-negative'],
    ['offsets that do not fit the shape', fileOf(entry('"data_offsets":[0,4]'), 4), '8 bytes, but'],
    ['a gap before the first tensor', fileOf(entry('"data_offsets":[4,12]'), 12), 'leaves a gap'],
    ['data that is cut off', fileOf(entry('"data_offsets":[0,8]'), 7), 'may be cut off'],
    ['bytes after the last tensor', fileOf(entry('"data_offsets":[0,8]'), 9), 'belong to no tensor'],
    [
      'overlapping tensors',
      fileOf(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        3,
      ),
      'overlaps',
    ],
    ['metadata that is not text', fileOf('{"__metadata__":{"a":1}}', 0), '__metadata__'],
  ])('refuses %s', (_, bytes, problem) => {
    expect(() => parse(bytes)).toThrow(FormatError);
    expect(() => parse(bytes)).toThrow(problem);
  });

  it('cuts long tensor names in errors', () => {
    const name = 'x'.repeat(100_000);
    expect(() => parse(fileOf(`{"${name}":1}`, 0))).toThrow(/^.{1,250}$/);
  });

  it('gives a header or a FormatError for any bytes', () => {
    const good = concat(encodeSafetensors(new Map([['a', tensor('float32', [2])]]), { format: 'pt' }));
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = good.slice();
        for (const [position, byte] of changes) bytes[position] = byte;
        return bytes;
      });
    const json = fc.json().map((text) => fileOf(text, 8));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), json, mutated), (bytes) => {
        try {
          parse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('writing', () => {
  const anyTensor = fc
    .tuple(
      fc.constantFrom(...(Object.keys(tensorTypes) as TensorType[])),
      fc.array(fc.nat(4), { maxLength: 3 }),
      fc.nat(255),
    )
    .map(([dtype, shape, fill]) => tensor(dtype, shape, fill));
  const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('1', '0', '__proto__', 'a"b'));

  it('gives back what it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, anyTensor)), fc.dictionary(fc.string(), fc.string()), (entries, metadata) => {
        const tensors = new Map(entries);
        const bytes = concat(encodeSafetensors(tensors, metadata));
        const header = parse(bytes);
        const read = new Map(
          [...header.tensors].map(([key, { dtype, shape, begin, end }]) => [
            key,
            { dtype, shape, data: bytes.slice(begin, end) },
          ]),
        );
        expect(read).toEqual(tensors);
        expect(Object.entries(header.metadata).sort()).toEqual(Object.entries(metadata).sort());
      }),
    );
  });

  it('aligns the data to eight bytes and puts wide types first', () => {
    const tensors = new Map([
      ['b', tensor('uint8', [3])],
      ['a', tensor('float16', [3])],
      ['c', tensor('int64', [1])],
    ]);
    const { header, chunks } = encodeSafetensors(tensors);
    expect(header.byteLength % 8).toBe(0);
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual([8, 6, 3]);
  });

  it('refuses bytes that do not fit the shape, and the reserved name', () => {
    expect(() => encodeSafetensors(new Map([['a', { ...tensor('float32', [2]), shape: [3] }]]))).toThrow(ConfigError);
    expect(() => encodeSafetensors(new Map([['__metadata__', tensor('float32', [2])]]))).toThrow('__metadata__');
  });
});
