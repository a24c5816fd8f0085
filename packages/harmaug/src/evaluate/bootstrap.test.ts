import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { compare, estimate } from './bootstrap.ts';
import { rank } from './ranking.ts';

const half = { threshold: 0.5 };

/** Scores that tell the classes apart by about `signal` of their spread. */
function sample(rows: number, signal: number, seed: number) {
  const uniform = mulberry32(seed);
  const labels = Array.from({ length: rows }, () => Number(uniform() < 0.4));
  return rank(
    labels.map((label) => (label * signal + uniform()) / (1 + signal)),
    labels,
  );
}

describe('intervals', () => {
  it('hold the figure, narrow with more rows, and repeat with the seed', () => {
    const width = (rows: number) => {
      const { value, low, high } = estimate(sample(rows, 0.5, 1), ['auprc'], half, { resamples: 200 }).auprc;
      expect(low!).toBeLessThan(value!);
      expect(high!).toBeGreaterThan(value!);
      return high! - low!;
    };
    expect(width(1600)).toBeLessThan(width(100) / 2);
    const one = estimate(sample(100, 0.5, 1), ['f1', 'auroc'], half, { resamples: 50, seed: 3 });
    expect(estimate(sample(100, 0.5, 1), ['f1', 'auroc'], half, { resamples: 50, seed: 3 })).toEqual(one);
    expect(estimate(sample(100, 0.5, 1), ['f1', 'auroc'], half, { resamples: 50, seed: 4 })).not.toEqual(one);
  });

  it('hold the true value about as often as they say', () => {
    const truth = estimate(sample(100_000, 0.5, 99), ['auroc'], half, { resamples: 1 }).auroc.value!;
    const held = Array.from({ length: 100 }, (_, seed) => {
      const { low, high } = estimate(sample(150, 0.5, seed + 1), ['auroc'], half, { resamples: 300 }).auroc;
      return low! <= truth && truth <= high!;
    });
    expect(held.filter(Boolean).length).toBeGreaterThanOrEqual(87); // 95 expected; under 87 once in a thousand runs
  });

  it('are null where the figure has no meaning', () => {
    const { auprc, recall } = estimate(rank([0.9, 0.2], [1, 1]), ['auprc', 'recall'], half, { resamples: 20 });
    expect(auprc).toEqual({ value: null, low: null, high: null });
    expect(recall.value).toBe(0.5);
  });
});

describe('the paired test', () => {
  const better = sample(400, 1, 5);
  const worse = rank(
    better.scores.map((score, row) => (row % 3 === 0 ? 1 - score : score)),
    better.labels,
  );

  it('finds a guard that is plainly better, and its sign', () => {
    const found = compare(better, worse, 'auprc', [half, half], { resamples: 300 });
    expect(found.value!).toBeGreaterThan(0);
    expect(found.low!).toBeGreaterThan(0);
    expect(found.pValue!).toBeLessThan(0.02);
    expect(compare(worse, better, 'auprc', [half, half], { resamples: 300 }).value).toBeCloseTo(-found.value!);
  });

  it('finds nothing between a guard and itself', () => {
    const { value, pValue } = compare(better, better, 'f1', [half, half], { resamples: 100 });
    expect([value, pValue]).toEqual([0, 1]);
  });

  it('refuses other rows', () => {
    expect(() => compare(better, sample(400, 1, 6), 'f1', [half, half])).toThrow(/the same rows/);
  });
});
