import { FormatError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { findRepeatedKey, parseJsonObject } from './json.ts';

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text), 'a.json');

it.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":{"b":1},"c":[{"d":1},{"d":1,"e":2,"d":3}]}', 'd'],
  [String.raw`{"a\"b":1,"a\u0022b":2}`, 'a"b'],
  [String.raw`{"\\":1,"x":"\\\"","\\":2}`, '\\'],
  ['{"a":"b","b":["a","a"],"c":{"a":1}}', undefined],
  ['{"":1,"a":{"":2}}', undefined],
])('finds the key that %s repeats', (text, key) => {
  JSON.parse(text);
  expect(findRepeatedKey(text)).toBe(key);
});

it.each([
  ['[1]', 'must be a JSON object'],
  ['null', 'must be a JSON object'],
  ['{"a":', 'not valid JSON'],
  ['{"a":1,"a":1}', 'has the key "a" twice'],
])('refuses %s', (text, problem) => {
  expect(() => parse(text)).toThrow(FormatError);
  expect(() => parse(text)).toThrow(problem);
});

it('refuses bytes that are not UTF-8', () => {
  expect(() => parseJsonObject(Uint8Array.of(0x7b, 0xff, 0x7d), 'a.json')).toThrow('a.json is not valid JSON in UTF-8');
});

it('checks a long header of deep lists quickly', () => {
  const begin = performance.now();
  expect(() => parse(`{"a":${'['.repeat(1_000_000)}`)).toThrow(FormatError);
  parse(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"b":"${'\\\\'.repeat(1_000_000)}"}`);
  expect(performance.now() - begin).toBeLessThan(2000);
});
