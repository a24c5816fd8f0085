/**
 * Texts that are nearly one that came before: MinHash finds those that may be, an exact comparison of their pieces decides.
 * So what is found is right, and what is missed is missed by MinHash: one pair in twenty at the threshold, one in a hundred
 * a little above it.
 */
import { HashIndex } from './hash-index.ts';
import { type Bands, bandsFor, createSigner } from './minhash.ts';
import { NumberStore } from './number-store.ts';
import { isNear, type ShingleOptions, shinglesOf } from './shingles.ts';

export interface NearDuplicateOptions extends ShingleOptions {
  /** Jaccard similarity from which two texts count as nearly the same. */
  readonly threshold: number;
  /** Probability that a pair at the threshold is found. Default 0.95. */
  readonly recall?: number;
}

export interface Sketch {
  readonly shingles: Uint32Array;
  /** One number a band. */
  readonly signature: Uint32Array;
}

/** Numbers of texts count from 0 in the order they were added. About 0.8 kB a text of 100 characters. */
export class NearDuplicates {
  readonly bands: Bands;
  readonly #options: NearDuplicateOptions;
  readonly #sign: (shingles: Uint32Array) => Uint32Array;
  readonly #indexes: HashIndex[];
  readonly #shingles = new NumberStore();
  /** Number of the last text that each one was compared with: a text met in several bands is compared once. */
  #comparedWith = new Int32Array(1024).fill(-1);
  #comparisons = 0;

  constructor(options: NearDuplicateOptions) {
    this.#options = options;
    this.bands = bandsFor(options.threshold, options.recall ?? 0.95);
    this.#sign = createSigner(this.bands);
    this.#indexes = Array.from({ length: this.bands.bands }, () => new HashIndex());
  }

  get count(): number {
    return this.#shingles.count;
  }

  sketch(text: string): Sketch {
    const shingles = shinglesOf(text, this.#options);
    return { shingles, signature: this.#sign(shingles) };
  }

  /** The number of a text that is nearly this one, or -1. A text without words is like no other. */
  find({ shingles, signature }: Sketch): number {
    if (shingles.length === 0) return -1;
    const { threshold } = this.#options;
    this.#comparisons += 1;
    for (const [band, index] of this.#indexes.entries()) {
      for (let row = index.last(signature[band]!); row >= 0; row = index.before(row)) {
        if (this.#comparedWith[row] === this.#comparisons) continue;
        this.#comparedWith[row] = this.#comparisons;
        if (isNear(shingles, this.#shingles.at(row), threshold)) return row;
      }
    }
    return -1;
  }

  /** @returns its number */
  add({ shingles, signature }: Sketch): number {
    for (const [band, index] of this.#indexes.entries()) index.add(signature[band]!);
    this.#shingles.add(shingles);
    const number = this.count - 1;
    if (number >= this.#comparedWith.length) {
      const longer = new Int32Array(2 * this.#comparedWith.length).fill(-1);
      longer.set(this.#comparedWith);
      this.#comparedWith = longer;
    }
    return number;
  }
}
