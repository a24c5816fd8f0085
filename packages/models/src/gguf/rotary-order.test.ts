import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interleave, separate } from './rotary-order.ts';

it('puts the rows of a head pair by pair', () => {
  const rows = Float32Array.from({ length: 12 }, (_, i) => Math.floor(i / 2)); // 6 rows of two columns: one head of 6
  expect([...interleave(rows, { heads: 1, headSize: 6 })]).toEqual([0, 0, 3, 3, 1, 1, 4, 4, 2, 2, 5, 5]);
  const bias = Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13); // two heads of 4
  expect([...interleave(bias, { heads: 2, headSize: 4 })]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
});

it('is undone by the way back', () => {
  const sizes = fc.record({
    heads: fc.integer({ min: 1, max: 4 }),
    half: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, ({ heads, half, columns }) => {
      const shape = { heads, headSize: 2 * half };
      const values = Float32Array.from({ length: heads * 2 * half * columns }, (_, i) => i);
      expect(separate(interleave(values, shape), shape)).toEqual(values);
    }),
  );
});
