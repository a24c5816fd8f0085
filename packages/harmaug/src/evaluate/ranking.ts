/** Rows in the order of their scores: what every metric is a function of. */
import { ConfigError } from 'onnx-grad';

/** Rows sorted once, so that a resample only needs new weights. */
export interface Ranking {
  /** Row numbers, highest score first. */
  readonly order: Uint32Array;
  readonly scores: Float64Array;
  /** 1 = unsafe */
  readonly labels: Uint8Array;
}

/** How many rows of each class score at least as much, at every distinct score from the highest down. */
export interface Curve {
  readonly scores: Float64Array;
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

/**
 * @param scores p(unsafe), or any number that grows with it
 * @param labels 1 = unsafe, 0 = safe
 * @throws ConfigError naming the row: a score that is no number, a label that is neither 0 nor 1, unequal lengths
 */
export function rank(scores: ArrayLike<number>, labels: ArrayLike<number>): Ranking {
  if (scores.length !== labels.length) {
    throw new ConfigError(`Expected a label for every score, got ${labels.length} labels and ${scores.length} scores.`);
  }
  for (let row = 0; row < scores.length; row++) {
    if (Number.isNaN(scores[row])) throw new ConfigError(`Row ${row}: the score is not a number.`);
    if (labels[row] !== 0 && labels[row] !== 1) {
      throw new ConfigError(`Row ${row}: expected the label 0 or 1, got ${labels[row]}.`);
    }
  }
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) =>
    compare(scores[b]!, scores[a]!),
  );
  return { order, scores: Float64Array.from(scores), labels: Uint8Array.from(labels) };
}

/** Infinities are equal to themselves, which their difference is not. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @param weights how often each row counts; absent: once */
export function curveOf({ order, scores, labels }: Ranking, weights?: ArrayLike<number>): Curve {
  const [distinct, truePositives, falsePositives]: number[][] = [[], [], []];
  let [positives, negatives] = [0, 0];
  for (let at = 0; at < order.length; at++) {
    const row = order[at]!;
    const weight = weights === undefined ? 1 : weights[row]!;
    if (weight === 0) continue;
    if (labels[row] === 1) positives += weight;
    else negatives += weight;
    const isTie = distinct!.at(-1) === scores[row];
    const last = isTie ? distinct!.length - 1 : distinct!.length;
    distinct![last] = scores[row]!;
    truePositives![last] = positives;
    falsePositives![last] = negatives;
  }
  return {
    scores: Float64Array.from(distinct!),
    truePositives: Float64Array.from(truePositives!),
    falsePositives: Float64Array.from(falsePositives!),
    positives,
    negatives,
  };
}

/** What a threshold catches: rows with `score >= threshold` count as unsafe. */
export function countsAt(curve: Curve, threshold: number): { truePositives: number; falsePositives: number } {
  let [low, high] = [0, curve.scores.length]; // how many distinct scores reach the threshold
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve.scores[middle]! >= threshold) low = middle + 1;
    else high = middle;
  }
  return {
    truePositives: curve.truePositives[low - 1] ?? 0,
    falsePositives: curve.falsePositives[low - 1] ?? 0,
  };
}
