import { expect, it } from 'vitest';
import { divergence, expectNoDivergence } from './divergence.ts';

const losses = (...parts: readonly (readonly [count: number, loss: number])[]) =>
  parts.flatMap(([count, loss]) => Array<number>(count).fill(loss));

it('is a mean over the last hundred steps well above that of the first ten', () => {
  expect(divergence(losses([10, 0.7], [99, 9]))).toBeNull(); // too early to tell
  expect(divergence(losses([10, 0.7], [100, 9]))).toEqual({
    beginning: expect.closeTo(0.7),
    recent: expect.closeTo(9),
  });
  expect(divergence(losses([10, 0.7], [400, 0.3], [100, 1.3]))).not.toBeNull();
});

it('is no bad batch, no loss that stays where it was, and no good student that loses a little', () => {
  expect(divergence(losses([10, 0.7], [99, 0.3], [1, 60]))).toBeNull();
  expect(divergence(losses([500, 0.7]))).toBeNull();
  expect(divergence(losses([10, 0.02], [500, 0.3]))).toBeNull();
  expect(divergence(losses([10, 4], [500, 5]))).toBeNull();
});

it('stops a run with what to do', () => {
  const lost = losses([10, 0.7], [100, 9]);
  expect(() => expectNoDivergence(lost, { precision: 'int8', out: 'guard' })).toThrow(
    'Training diverges: up to step 110 the loss is 9.00 on average, at the beginning it was 0.70. Lower the learning rate or ' +
      'lengthen the warm-up, or train in float32, with another --out or guard removed.',
  );
  expect(() => expectNoDivergence(lost, { precision: 'float32', out: 'guard' })).toThrow(/the warm-up, with another/);
  expect(() => expectNoDivergence(losses([200, 0.7]), { precision: 'int8', out: 'guard' })).not.toThrow();
});
