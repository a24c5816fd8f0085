/**
 * MinHash: of each of many hash functions the least value over a set. Two sets agree in one of them with a probability
 * equal to their Jaccard similarity s; in all r of a band with s^r, in at least one of b bands with 1 - (1 - s^r)^b.
 * Source: Broder 1997, "On the resemblance and containment of documents"; Leskovec et al., Mining of Massive Datasets, 3.4.
 */
import { mix } from './hash.ts';

export interface Bands {
  readonly bands: number;
  /** Hash functions of a band. */
  readonly rows: number;
}

const MOST_HASHES = 256; // at 100 pieces a text some 20 µs

/**
 * The longest bands that find a pair at the threshold with this probability: of texts that have little in common, the
 * fewest meet in them. Where the hash functions do not suffice for it, bands of one.
 */
export function bandsFor(threshold: number, recall: number): Bands {
  for (let rows = 16; rows > 1; rows--) {
    const bands = Math.max(1, Math.ceil(Math.log1p(-recall) / Math.log1p(-(threshold ** rows))));
    if (bands * rows <= MOST_HASHES) return { rows, bands };
  }
  return { rows: 1, bands: MOST_HASHES };
}

/** Probability that a pair of this similarity meets in a band. */
export function recallAt(similarity: number, { bands, rows }: Bands): number {
  return 1 - (1 - similarity ** rows) ** bands;
}

/** Signs sets with one number a band. Built once. */
export function createSigner({ bands, rows }: Bands): (shingles: Uint32Array) => Uint32Array {
  const count = bands * rows;
  const factors = new Int32Array(count).map((_, index) => mix(2 * index + 1) | 1);
  const terms = new Int32Array(count).map((_, index) => mix(2 * index + 2));
  return (shingles) => {
    const signature = new Uint32Array(bands);
    const size = shingles.length;
    for (let band = 0, at = 0; band < bands; band++) {
      let h = band;
      for (const end = at + rows; at < end; at++) {
        const [factor, term] = [factors[at]!, terms[at]!];
        let least = 0x7fffffff;
        for (let next = 0; next < size; next++) {
          // a hash function of the family (x ^ term) * factor, its high bits folded into the low ones
          const product = Math.imul(shingles[next]! ^ term, factor);
          const value = product ^ (product >>> 15);
          if (value < least) least = value;
        }
        h = mix(Math.imul(h, 31) + least);
      }
      signature[band] = h;
    }
    return signature;
  };
}
