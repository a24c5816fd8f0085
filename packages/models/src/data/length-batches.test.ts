import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../initialize.ts';
import { computedPerReal, lengthBatches, paddedTokens } from './length-batches.ts';

const anyLengths = fc.array(fc.integer({ min: 1, max: 512 }), { maxLength: 300 });
const anyOptions = fc.record({
  batchSize: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer(),
  epoch: fc.nat(100),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});

/** Like the real prompts: median 18, p90 168, cut at 512. Log-normal with a long tail, from a seed. */
function promptLikeLengths(count: number): number[] {
  const uniform = mulberry32(7);
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.min(512, Math.max(3, Math.round(18 * Math.exp((Math.log(168 / 18) / 1.2816) * normal)))); // 1.2816: z of p90
  });
}

describe('batches by length', () => {
  it('hold every row exactly once, in full batches but for one', () => {
    fc.assert(
      fc.property(anyLengths, anyOptions, (lengths, options) => {
        const batches = lengthBatches(lengths, options);
        expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, row) => row));
        const partial = batches.filter(({ length }) => length !== options.batchSize);
        expect(partial.length).toBe(lengths.length % options.batchSize === 0 ? 0 : 1);
        expect(batches.every(({ length }) => length > 0)).toBe(true);
      }),
    );
  });

  it('are the same for the same seed and epoch', () => {
    fc.assert(
      fc.property(anyLengths, anyOptions, (lengths, options) => {
        expect(lengthBatches(lengths, options)).toEqual(lengthBatches(lengths.slice(), { ...options }));
      }),
    );
  });

  it('differ between epochs and between seeds, in make-up and in order', () => {
    const lengths = promptLikeLengths(640);
    const makeUp = (seed: number, epoch: number) =>
      new Set(lengthBatches(lengths, { batchSize: 32, seed, epoch }).map((batch) => batch.toSorted().join()));
    const first = makeUp(1, 0);
    for (const [seed, epoch] of [
      [1, 1],
      [2, 0],
      [1, 2],
    ] as const) {
      expect(first.intersection(makeUp(seed, epoch)).size).toBeLessThanOrEqual(1); // of 20: the longest rows may stay together
    }
    const longest = (epoch: number) =>
      lengthBatches(lengths, { batchSize: 32, seed: 1, epoch }).map((batch) => paddedTokens(lengths, batch));
    expect(longest(0)).not.toEqual(longest(1));
  });

  it('come in an order that says nothing of their length', () => {
    const lengths = promptLikeLengths(3200);
    const correlations = Array.from({ length: 20 }, (_, epoch) => {
      const costs = lengthBatches(lengths, { batchSize: 32, seed: 3, epoch }).map((batch) =>
        paddedTokens(lengths, batch),
      );
      const half = costs.length / 2;
      const sum = (part: number[]) => part.reduce((a, b) => a + b, 0);
      return (sum(costs.slice(0, half)) - sum(costs.slice(half))) / sum(costs);
    });
    const mean = correlations.reduce((a, b) => a + b, 0) / correlations.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(correlations.some((value) => value > 0) && correlations.some((value) => value < 0)).toBe(true);
  });

  it('compute at most 1.07 tokens for each real one on lengths like those of prompts', () => {
    const lengths = promptLikeLengths(15_582);
    for (const epoch of [0, 1, 2]) {
      expect(computedPerReal(lengths, lengthBatches(lengths, { batchSize: 32, seed: 1, epoch }))).toBeLessThan(1.07);
    }
  });

  it('refuse options out of range', () => {
    const good = { batchSize: 2, seed: 1, epoch: 0 };
    for (const bad of [{ batchSize: 0 }, { batchSize: 1.5 }, { epoch: -1 }, { seed: 0.5 }, { jitter: 2 }]) {
      expect(() => lengthBatches([1, 2], { ...good, ...bad })).toThrow(ConfigError);
    }
  });
});
