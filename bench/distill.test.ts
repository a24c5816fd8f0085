import { expect, it } from 'vitest';
import { secondsTo } from './distill/seconds-to.ts';

const curve = [
  { seconds: 0, figure: 0 },
  { seconds: 10, figure: 0.5 },
  { seconds: 20, figure: 0.4 },
  { seconds: 30, figure: 0.8 },
];

it('reads the time to a figure off between two measurements, at its first crossing', () => {
  expect(secondsTo(curve, 0.25)).toBe(5);
  expect(secondsTo(curve, 0.5)).toBe(10);
  expect(secondsTo(curve, 0.6)).toBeCloseTo(25);
  expect(secondsTo(curve, 0.9)).toBeNaN();
});
