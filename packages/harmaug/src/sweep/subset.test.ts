import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { expect, test } from 'vitest';
import { nestedSubset } from './subset.ts';

test('parts of a set lie within each other, in the order of the whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (size, share) => {
      const rows = Array.from({ length: size }, (_, row) => row);
      const large = nestedSubset(rows, size - Math.floor(size / 4), 'n');
      const small = nestedSubset(rows, Math.floor(large.length * share), 'n');
      expect(small).toHaveLength(Math.floor(large.length * share));
      expect(small).toEqual(large.filter((row) => small.includes(row)));
      expect(large).toEqual([...large].sort((a, b) => a - b));
    }),
  );
});

test('a part is spread over the whole', () => {
  const part = nestedSubset(
    Array.from({ length: 10_000 }, (_, row) => row),
    1000,
    'n',
  );
  expect(part.filter((row) => row < 5000).length / 1000).toBeCloseTo(0.5, 1);
});

test('more than there is cannot be drawn', () => {
  expect(() => nestedSubset([1, 2], 3, 'a.yaml: syntheticRows')).toThrow(ConfigError);
  expect(() => nestedSubset([1, 2], 3, 'a.yaml: syntheticRows')).toThrow(
    'a.yaml: syntheticRows: expected at most the 2 rows there are, got 3.',
  );
});
