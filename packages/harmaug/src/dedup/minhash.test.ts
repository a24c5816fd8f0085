import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { bandsFor, createSigner, recallAt } from './minhash.ts';

/** Two sets of random numbers with this similarity. */
function pairOf(similarity: number, size: number, uniform: () => number): [Uint32Array, Uint32Array] {
  const number = () => Math.floor(uniform() * 2 ** 32);
  const shared = Math.round((2 * size * similarity) / (1 + similarity));
  const both = Array.from({ length: shared }, number);
  const own = () => Uint32Array.from([...both, ...Array.from({ length: size - shared }, number)]).sort();
  return [own(), own()];
}

describe('bands', () => {
  it('find a pair at the threshold as often as asked for, with the longest bands that do', () => {
    for (const threshold of [0.3, 0.5, 0.7, 0.8, 0.9]) {
      const bands = bandsFor(threshold, 0.95);
      expect(recallAt(threshold, bands)).toBeGreaterThanOrEqual(0.95);
      expect(bands.bands * bands.rows).toBeLessThanOrEqual(256);
    }
    expect(bandsFor(0.7, 0.95)).toEqual({ rows: 7, bands: 35 });
    expect(recallAt(0.77, bandsFor(0.7, 0.95))).toBeGreaterThan(0.99);
    expect(bandsFor(1, 0.95)).toEqual({ rows: 16, bands: 1 });
  });

  it.each([0.5, 0.7, 0.8])('meet at similarity %d with the probability of the theory', (similarity) => {
    const bands = { bands: 10, rows: 4 };
    const sign = createSigner(bands);
    const uniform = mulberry32(1);
    const pairs = 3000;
    let met = 0;
    for (let pair = 0; pair < pairs; pair++) {
      const [a, b] = pairOf(similarity, 40, uniform).map(sign) as [Uint32Array, Uint32Array];
      if (a.some((hash, band) => hash === b[band])) met += 1;
    }
    const expected = recallAt(similarity, bands);
    const deviation = Math.sqrt((expected * (1 - expected)) / pairs);
    expect(Math.abs(met / pairs - expected)).toBeLessThan(4 * deviation + 0.005);
  });
});
