import { describe, expect, it } from 'vitest';
import { epochBatches } from './epoch.ts';

const count = 1000;
const rows = {
  lengths: Array.from({ length: count }, (_, row) => 5 + ((row * 37) % 90)),
  labels: Array.from({ length: count }, (_, row) => Number(row % 10 === 0)), // a tenth unsafe
  isSynthetic: Array.from({ length: count }, (_, row) => row >= 800),
};
const at = { seed: 1, epoch: 0 };
const batching = 'by-length';
const share = (drawn: number[], holds: (row: number) => boolean) => drawn.filter(holds).length / drawn.length;

describe('an epoch', () => {
  it('shows each row once when sampling is plain', () => {
    const batches = epochBatches(rows, { batchSize: 32, sampling: 'plain', syntheticShare: null, batching }, at);
    expect(batches.flat().sort((a, b) => a - b)).toEqual(rows.lengths.map((_, row) => row));
    expect(batches).toHaveLength(Math.ceil(count / 32));
  });

  it('shows both classes equally often when it is balanced, as many rows in all, some of them again', () => {
    const drawn = epochBatches(
      rows,
      { batchSize: 32, sampling: 'balanced', syntheticShare: null, batching },
      at,
    ).flat();
    expect(drawn).toHaveLength(count);
    expect(share(drawn, (row) => rows.labels[row] === 1)).toBeCloseTo(0.5, 1);
    expect(new Set(drawn).size).toBeLessThan(count);
  });

  it('gives synthetic rows the share asked for, balanced or not', () => {
    for (const sampling of ['plain', 'balanced'] as const) {
      const drawn = epochBatches(rows, { batchSize: 32, sampling, syntheticShare: 0.5, batching }, at).flat();
      expect(share(drawn, (row) => rows.isSynthetic[row]!)).toBeCloseTo(0.5, 1);
    }
    const none = epochBatches(rows, { batchSize: 32, sampling: 'plain', syntheticShare: 0, batching }, at).flat();
    expect(share(none, (row) => rows.isSynthetic[row]!)).toBe(0);
  });

  it('is the same for the same seed and number, and another for others', () => {
    const settings = { batchSize: 32, sampling: 'balanced', syntheticShare: null, batching } as const;
    const one = epochBatches(rows, settings, at);
    expect(epochBatches(rows, settings, at)).toEqual(one);
    expect(epochBatches(rows, settings, { seed: 1, epoch: 1 })).not.toEqual(one);
    expect(epochBatches(rows, settings, { seed: 2, epoch: 0 })).not.toEqual(one);
  });

  it('has every length in a batch where they are mixed', () => {
    const settings = { batchSize: 50, sampling: 'plain', syntheticShare: null } as const;
    const spread = (batching: 'by-length' | 'mixed') => {
      const batches = epochBatches(rows, { ...settings, batching }, at);
      const ranges = batches.map((batch) => {
        const lengths = batch.map((row) => rows.lengths[row]!);
        return Math.max(...lengths) - Math.min(...lengths);
      });
      return ranges.reduce((a, b) => a + b, 0) / ranges.length;
    };
    expect(spread('by-length')).toBeLessThan(20);
    expect(spread('mixed')).toBeGreaterThan(70);
  });
});
