import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { truncate } from './truncation.ts';

it('keeps everything that fits', () => {
  expect(truncate(3, 4, 7, 'longest_first', 'first')).toEqual({ first: 3, second: 4 });
  expect(truncate(3, undefined, Infinity, 'longest_first', 'first')).toEqual({ first: 3, second: 0 });
});

it.each([
  [9, 2, 7, { first: 5, second: 2 }],
  [2, 9, 7, { first: 2, second: 5 }],
  [9, 9, 6, { first: 3, second: 3 }],
  [9, 3, 7, { first: 4, second: 3 }],
])('takes from the longer text until both are equal: %i and %i to %i', (first, second, budget, expected) => {
  expect(truncate(first, second, budget, 'longest_first', 'first')).toEqual(expected);
  expect(truncate(first, second, budget, 'longest_first', 'longer')).toEqual(expected);
});

it('gives the odd token to the first text, or to the longer one, the second when they are equal', () => {
  expect(truncate(9, 9, 7, 'longest_first', 'first')).toEqual({ first: 4, second: 3 });
  expect(truncate(8, 9, 7, 'longest_first', 'first')).toEqual({ first: 4, second: 3 });
  expect(truncate(9, 9, 7, 'longest_first', 'longer')).toEqual({ first: 3, second: 4 });
  expect(truncate(9, 8, 7, 'longest_first', 'longer')).toEqual({ first: 4, second: 3 });
});

it('removes one token after another from the longer text, as transformers counts it', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.nat(80), (first, second, budget) => {
      let [a, b] = [first, second];
      while (a + b > budget) a > b ? a-- : b--;
      expect(truncate(first, second, budget, 'longest_first', 'first')).toEqual({ first: a, second: b });
    }),
  );
});

it('takes from one text only when told to, and says when that is not enough', () => {
  expect(truncate(5, 5, 7, 'only_first', 'first')).toEqual({ first: 2, second: 5 });
  expect(truncate(5, 5, 7, 'only_second', 'first')).toEqual({ first: 5, second: 2 });
  expect(() => truncate(3, 9, 7, 'only_first', 'first')).toThrow(ConfigError);
  expect(() => truncate(9, undefined, 7, 'only_second', 'first')).toThrow('needs a second text');
});

it('keeps everything when told not to truncate, however long', () => {
  expect(truncate(9, 1, 7, 'do_not_truncate', 'first')).toEqual({ first: 9, second: 1 });
});
