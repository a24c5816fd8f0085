/** Vectors in the plane: the two directions in which they differ most (principal components), by power iteration. */
import { mulberry32 } from '@harmaug/models';

export interface Projection {
  /** Share of the variance along each direction. */
  readonly explained: readonly [number, number];
  readonly points: readonly (readonly [x: number, y: number])[];
}

const MOST_ITERATIONS = 300;
const STILL = 1e-10; // change of the direction's cosine at which it is found

/** @param vectors all of one size; with fewer than three, or all alike, points lie at 0 where they do not differ */
export function project(vectors: readonly Float32Array[]): Projection {
  const size = vectors[0]?.length ?? 0;
  const mean = new Float64Array(size);
  for (const vector of vectors) for (let at = 0; at < size; at++) mean[at]! += vector[at]! / vectors.length;
  const centred = vectors.map((vector) => Float64Array.from(vector, (value, at) => value - mean[at]!));
  const variance = centred.reduce((sum, row) => sum + dot(row, row), 0);
  const first = direction(centred, size, []);
  const second = direction(centred, size, [first]);
  const along = (axis: Float64Array) => centred.map((row) => dot(row, axis));
  const [xs, ys] = [along(first), along(second)];
  const explained = (values: readonly number[]) =>
    variance === 0 ? 0 : values.reduce((sum, value) => sum + value * value, 0) / variance;
  return { explained: [explained(xs), explained(ys)], points: xs.map((x, row) => [x, ys[row]!]) };
}

/** The direction of most variance at right angles to the others; its largest part is positive. 0 where there is none. */
function direction(rows: readonly Float64Array[], size: number, others: readonly Float64Array[]): Float64Array {
  const uniform = mulberry32(1);
  let axis = normalised(
    clear(
      Float64Array.from({ length: size }, () => uniform() - 0.5),
      others,
    ),
  );
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const next = new Float64Array(size);
    for (const row of rows) {
      const weight = dot(row, axis);
      for (let at = 0; at < size; at++) next[at]! += weight * row[at]!;
    }
    const turned = normalised(clear(next, others));
    const change = 1 - Math.abs(dot(turned, axis));
    axis = turned;
    if (change < STILL) break;
  }
  const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? axis.map((value) => -value) : axis;
}

/** What is left without its parts along the others. */
function clear(vector: Float64Array, others: readonly Float64Array[]): Float64Array {
  return others.reduce((left, other) => {
    const part = dot(left, other);
    return left.map((value, at) => value - part * other[at]!);
  }, vector);
}

function normalised(vector: Float64Array): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return length < 1e-12 ? new Float64Array(vector.length) : vector.map((value) => value / length);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
