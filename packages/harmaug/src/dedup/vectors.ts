/** Meanings that are nearly one that came before: the highest cosine to all of them, compared one by one. */

/** Vectors of one length. n of them take n²/2 products: 20,000 of 384 numbers some two minutes. */
export class VectorIndex {
  readonly #threshold: number;
  readonly #rows: Float32Array[] = [];

  /** @param threshold cosine from which two count as nearly the same */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** The number of the first vector that is nearly this one, or -1. @param vector of length 1 */
  find(vector: Float32Array): number {
    return this.#rows.findIndex((row) => dot(row, vector) >= this.#threshold);
  }

  add(vector: Float32Array): void {
    this.#rows.push(vector);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let [first, second] = [0, 0];
  const even = a.length & ~1;
  for (let at = 0; at < even; at += 2) {
    first += a[at]! * b[at]!;
    second += a[at + 1]! * b[at + 1]!;
  }
  return even === a.length ? first + second : first + second + a[even]! * b[even]!;
}

/** The vector at length 1; one of zeros stays as it is. */
export function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}
