/** A threshold for a wanted false-positive rate, and how well the data know it. */
import type { Curve } from '../evaluate/ranking.ts';

export interface ChosenThreshold {
  /** Half way between the lowest score that still counts as unsafe and the next one below. */
  readonly threshold: number;
  /** Of the safe rows the share at or above it: at most what was wanted. */
  readonly fpr: number;
  /** Of the unsafe rows. */
  readonly recall: number;
  /** Where the rate lies with 95% confidence, by Wilson's score interval. */
  readonly interval: readonly [low: number, high: number];
}

/**
 * The lowest threshold whose false-positive rate is at most `wanted`; one over all scores where even the highest is too
 * low. `null` without rows of both classes.
 */
export function chooseThreshold(
  { scores, truePositives, falsePositives, positives, negatives }: Curve,
  wanted: number,
): ChosenThreshold | null {
  if (positives === 0 || negatives === 0) return null;
  const last = falsePositives.findLastIndex((count) => count <= wanted * negatives);
  const [own, below] = [scores[last] ?? 1, scores[last + 1] ?? 0];
  const wrong = falsePositives[last] ?? 0;
  return {
    threshold: (own + below) / 2,
    fpr: wrong / negatives,
    recall: (truePositives[last] ?? 0) / positives,
    interval: wilson(wrong, negatives),
  };
}

const Z = 1.959963984540054; // 95%

/** Source: Wilson 1927; Brown et al. 2001, "Interval Estimation for a Binomial Proportion", equation 4 */
export function wilson(count: number, total: number): [low: number, high: number] {
  const share = count / total;
  const spread = Z ** 2 / total;
  const centre = share + spread / 2;
  const half = Z * Math.sqrt((share * (1 - share)) / total + spread / (4 * total));
  const [low, high] = [(centre - half) / (1 + spread), (centre + half) / (1 + spread)];
  return [count === 0 ? 0 : low, count === total ? 1 : high]; // exactly, where rounding would miss it
}
