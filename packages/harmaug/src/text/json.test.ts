import { expect, test } from 'vitest';
import { parseJson } from './json.ts';

test('reads NaN and Infinity as null, outside strings only', () => {
  const text = '{"a": NaN, "b": [-Infinity, Infinity, 1], "c": "NaN \\" Infinity"}';
  expect(parseJson(text)).toEqual({ a: null, b: [null, null, 1], c: 'NaN " Infinity' });
});

test('gives nothing for what is not JSON', () => {
  for (const text of ['', '{"a":', 'NaN of them', '<html>']) expect(parseJson(text)).toBeUndefined();
});
