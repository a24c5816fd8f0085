import { describe, expect, it } from 'vitest';
import { ActivationRanges } from './activation-ranges.ts';

const channels = (...sizes: number[]) => ({
  low: Float32Array.from(sizes, (size) => -size),
  high: Float32Array.from(sizes),
});

describe('the range of an activation', () => {
  it('begins with the first batch’s, widens at once and draws in slowly', () => {
    const ranges = new ActivationRanges();
    const step = (low: number, high: number) => {
      ranges.see('x', low, high);
      ranges.settle();
      return ranges.get('x')!;
    };
    ranges.begin('x', { low: Float32Array.of(-1, 0), high: Float32Array.of(0, 2) });
    expect(ranges.get('x')).toEqual({ low: -1, high: 2, outliers: [] });
    expect(step(-4, 3)).toEqual({ low: -4, high: 3, outliers: [] });
    const { low, high } = step(0, 1);
    expect(low).toBeCloseTo(-3.96, 6);
    expect(high).toBeCloseTo(2.98, 6);
    for (let n = 0; n < 1000; n++) step(-1, 1);
    expect(ranges.get('x')!.low).toBeCloseTo(-1, 3);
  });

  it('holds zero, joins the parts of a step, and leaves out a step that was not made', () => {
    const ranges = new ActivationRanges();
    ranges.begin('x', channels(0.5));
    ranges.see('x', 2, 3);
    ranges.see('x', 1, 5);
    ranges.settle();
    expect(ranges.get('x')!.high).toBe(5);
    expect(ranges.get('x')!.low).toBeCloseTo(-0.495);
    ranges.see('x', -9, 9);
    ranges.forget();
    ranges.settle();
    expect(ranges.get('x')!.high).toBe(5);
  });

  it('is of what is left once outlying channels are divided, which the first batch settles', () => {
    const ranges = new ActivationRanges();
    ranges.begin('x', channels(1, 1, 8, 1, 2, 1, 1));
    expect(ranges.get('x')).toEqual({
      low: -1,
      high: 1,
      outliers: [
        [2, 8],
        [4, 2],
      ],
    });
    ranges.see('x', -3, 1);
    ranges.settle();
    expect(ranges.get('x')).toEqual({
      low: -3,
      high: 1,
      outliers: [
        [2, 8],
        [4, 2],
      ],
    });
  });

  it('is what it was after restoring its state', () => {
    const [before, after] = [new ActivationRanges(), new ActivationRanges()];
    before.begin('x', channels(1 / 3, 1 / 7));
    after.begin('y', channels(1));
    after.restore(before.state());
    expect(after.state()).toEqual(before.state());
    expect(after.isEmpty).toBe(false);
  });
});
