/**
 * Clusters as DBSCAN finds them: a row with enough others near it is a core, cores near each other are one cluster, and what
 * is near a core belongs to it. Source: Ester et al. 1996; scikit-learn 1.9, sklearn/cluster/_dbscan_inner.pyx
 */

export interface DbscanOptions {
  /** The largest cosine distance at which two rows are near each other. */
  readonly epsilon: number;
  /** Rows near a core, itself included. */
  readonly minSamples: number;
}

export const NOISE = -1;

/**
 * Rows near each row, itself included, in order. n rows take n²/2 products.
 * @param vectors of length 1
 * @param onRow   told of each row that is done; may wait, so that others get a turn
 */
export async function neighboursOf(
  vectors: readonly Float32Array[],
  epsilon: number,
  onRow: (row: number) => Promise<void> | void = () => {},
): Promise<number[][]> {
  const near: number[][] = vectors.map((_, row) => [row]);
  for (const [row, vector] of vectors.entries()) {
    for (let other = row + 1; other < vectors.length; other++) {
      if (1 - dot(vector, vectors[other]!) > epsilon) continue;
      near[row]!.push(other);
      near[other]!.push(row);
    }
    await onRow(row);
  }
  return near.map((rows) => rows.sort((a, b) => a - b));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

/** The cluster of each row, numbered in the order of their first cores; -1 for those of none. */
export function dbscan(near: readonly (readonly number[])[], minSamples: number): Int32Array {
  const labels = new Int32Array(near.length).fill(NOISE);
  let cluster = 0;
  for (let row = 0; row < near.length; row++) {
    if (labels[row] !== NOISE || near[row]!.length < minSamples) continue;
    const pending = [row];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (labels[next] !== NOISE) continue;
      labels[next] = cluster;
      if (near[next]!.length < minSamples) continue; // at the border
      for (const other of near[next]!) if (labels[other] === NOISE) pending.push(other);
    }
    cluster += 1;
  }
  return labels;
}

/** Neighbours among the first `count` rows alone. */
export function amongFirst(near: readonly (readonly number[])[], count: number): number[][] {
  return near.slice(0, count).map((rows) => rows.filter((row) => row < count));
}

export function countClusters(labels: Int32Array): number {
  return labels.reduce((most, label) => Math.max(most, label + 1), 0);
}
