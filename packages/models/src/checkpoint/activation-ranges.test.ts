import { expect, it } from 'vitest';
import { formatRanges, parseRanges } from './activation-ranges.ts';

it('keeps every float32 as it is', () => {
  const ranges = new Map([
    ['a.weight', { low: Math.fround(-1 / 3), high: Math.fround(1e-30), outliers: [[7, Math.fround(2.3)] as const] }],
  ]);
  expect(parseRanges(JSON.parse(formatRanges(ranges)), 'file')).toEqual(ranges);
});

it.each<[string, Record<string, unknown>, RegExp]>([
  ['another version', { formatVersion: 2, ranges: {} }, /expected "formatVersion" 1/],
  ['no ranges', { formatVersion: 1 }, /and "ranges"/],
  [
    'a range without an end',
    { formatVersion: 1, ranges: { a: { low: -1, outliers: [] } } },
    /"a": expected low and high/,
  ],
  ['a range that is off zero', { formatVersion: 1, ranges: { a: { low: 1, high: 2, outliers: [] } } }, /"a": expected/],
  [
    'a divisor below 1',
    { formatVersion: 1, ranges: { a: { low: -1, high: 2, outliers: [[3, 0.5]] } } },
    /"a": expected/,
  ],
  ['no outliers', { formatVersion: 1, ranges: { a: { low: -1, high: 2 } } }, /"a": expected/],
])('refuses %s', (_, json, message) => expect(() => parseRanges(json, 'file')).toThrow(message));
