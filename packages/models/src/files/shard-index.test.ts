import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { parseShardIndex } from './shard-index.ts';

const parse = (text: string) => parseShardIndex(new TextEncoder().encode(text), 'x.index.json');
const indexOf = (map: unknown, metadata: unknown = { total_size: 8 }) => JSON.stringify({ metadata, weight_map: map });

describe('an index of shards', () => {
  it('lists the tensors of each file, in its order', () => {
    const shards = parse(indexOf({ b: 'two.safetensors', a: 'one.safetensors', c: 'two.safetensors' }));
    expect([...shards]).toEqual([
      ['two.safetensors', ['b', 'c']],
      ['one.safetensors', ['a']],
    ]);
  });

  it('may lack the total size, and names tensors as it likes', () => {
    expect([...parse('{"weight_map":{"__proto__":"a.safetensors","7":"a.safetensors"}}').values()][0]).toHaveLength(2);
    expect(parse(indexOf({ a: 'a.safetensors' }, {})).size).toBe(1);
  });

  it.each([
    ['no JSON', '{"weight_map":', 'not valid JSON'],
    ['a list', '[]', 'must be a JSON object'],
    ['no map', '{}', 'weight_map must be an object'],
    ['a map that is a list', indexOf([]), 'weight_map must be an object'],
    ['an empty map', indexOf({}), 'weight_map has 0 tensors'],
    ['a tensor twice', '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', 'has the key "a" twice'],
    ['a number for a file', indexOf({ a: 3 }), 'weight_map: "a": Expected the name of a .safetensors file'],
    [
      'a size below 0',
      indexOf({ a: 'x.safetensors' }, { total_size: -1 }),
      'metadata.total_size must be a number of bytes',
    ],
    ['a size beyond all', indexOf({ a: 'x.safetensors' }, { total_size: 1e300 }), 'got 1e+300'],
    ['a size that is text', indexOf({ a: 'x.safetensors' }, { total_size: '8' }), 'got string'],
    ['metadata that is none', indexOf({ a: 'x.safetensors' }, 7), 'metadata must be an object, got 7'],
  ])('is refused with %s', (_, text, problem) => {
    expect(() => parse(text)).toThrow(FormatError);
    expect(() => parse(text)).toThrow(problem);
  });

  it.each([
    '../x.safetensors',
    '/tmp/x.safetensors',
    'a/x.safetensors',
    'a\\x.safetensors',
    'C:x.safetensors',
    '..',
    '.safetensors',
    'x\0.safetensors',
    'x.bin',
    'model.safetensors/..',
    `${'x'.repeat(300)}.safetensors`,
  ])('is refused when it names %j', (file) => {
    expect(() => parse(indexOf({ a: file }))).toThrow('Expected the name of a .safetensors file in the same folder');
  });

  it('is refused with more files than any model has', () => {
    const map = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`t${at}`, `s${at}.safetensors`]));
    expect(() => parse(indexOf(map))).toThrow('names 10001 files');
  });
});
