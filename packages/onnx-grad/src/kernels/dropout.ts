import { ConfigError } from '../errors.ts';

/**
 * Dropout masks from a counter: whether element i is dropped depends on seed, step, site and i alone, so a resumed run
 * draws the masks of the unbroken one, on any number of threads.
 *
 * Element i takes the lower (i even) or upper (i odd) 16 bits of mix(floor(i / 2)), where
 *   x = counter ^ key0;  x ^= x >>> 16;  x *= 0x7feb352d;  x ^= key1;  x ^= x >>> 15;  x *= 0x846ca68b;  x ^= x >>> 16
 * in 32-bit arithmetic, and is dropped when they are below round(probability * 65536).
 * Source of the constants: lowbias32, github.com/skeeto/hash-prospector. The second key, entering between the rounds,
 * is ours: with the first alone, two sites would see one sequence in another order.
 */

/** What a mask depends on besides the element. */
export interface DropoutDraw {
  /** Of the run; a whole number of at most 53 bits. */
  readonly seed: number;
  /** Of the optimizer, or of the micro-batch where there are several in a step. */
  readonly step: number;
  /** Which dropout of the model. */
  readonly site: number;
}

/** The two 32-bit keys of a mask. */
export function dropoutKeys({ seed, step, site }: DropoutDraw): [key0: number, key1: number] {
  const words = [seed, step, site].flatMap((value) => {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(`Dropout seed, step and site are whole numbers from 0; found ${value}.`);
    }
    return [value >>> 0, Math.floor(value / 2 ** 32)];
  });
  const absorb = (start: number) => words.reduce((hash, word) => finalize((hash ^ word) + 0x9e3779b9), start);
  return [absorb(0x243f6a88), absorb(0x85a308d3)]; // the first digits of pi: any two different words serve
}

/** Of 65,536 equally likely values, how many are dropped. */
export function dropoutThreshold(probability: number): number {
  if (!(probability >= 0 && probability < 1)) {
    throw new ConfigError(`Dropout probability ${probability}, expected at least 0 and less than 1.`);
  }
  return Math.min(Math.round(probability * 65_536), 65_535);
}

/** murmur3's 32-bit finalizer. Source: github.com/aappleby/smhasher, MurmurHash3.cpp, fmix32 */
function finalize(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
