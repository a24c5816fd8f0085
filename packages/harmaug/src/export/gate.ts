/** How far a smaller model's answers lie from those of the float32 one, on the same texts, and whether that will do. */
import { metrics } from '../evaluate/metrics.ts';
import { curveOf, rank } from '../evaluate/ranking.ts';
import { sigmoid } from '../scoring/score-encoded.ts';

export interface GateLimits {
  /** Of |Δp|, over all texts. */
  readonly difference: number;
  /** Share of texts whose verdict may change. */
  readonly flips: number;
  /** What AUPRC may lose. */
  readonly auprcDrop: number;
}

export const defaultLimits: GateLimits = { difference: 0.2, flips: 0.01, auprcDrop: 0.005 };

export interface Gate {
  readonly texts: number;
  /** Largest |Δp|. */
  readonly difference: number;
  /** Share of texts whose verdict changed. */
  readonly flips: number;
  /** AUPRC of float32 less this one's; `null` where the texts have no labels of both kinds. */
  readonly auprcDrop: number | null;
}

/**
 * @param reference log-odds of unsafe, one a text
 * @param margins   the smaller model's
 * @param labels    1 = unsafe; `null` where a text has none
 */
export function compareMargins(
  reference: Float64Array,
  margins: Float64Array,
  labels: readonly (0 | 1 | null)[],
  threshold: number,
): Gate {
  let difference = 0;
  let flips = 0;
  reference.forEach((margin, row) => {
    const [before, after] = [sigmoid(margin), sigmoid(margins[row]!)];
    difference = Math.max(difference, Math.abs(after - before));
    if (before >= threshold !== after >= threshold) flips += 1;
  });
  const labelled = [...labels.keys()].filter((row) => labels[row] !== null);
  const known = labelled.map((row) => labels[row]!);
  const auprc = (values: Float64Array) => {
    const scores = labelled.map((row) => values[row]!);
    return metrics.auprc(curveOf(rank(scores, known)), { threshold }); // null for one class
  };
  const [before, after] = [auprc(reference), auprc(margins)];
  return {
    texts: reference.length,
    difference,
    flips: reference.length === 0 ? 0 : flips / reference.length,
    auprcDrop: before === null || after === null ? null : before - after,
  };
}

/** What lies over its limit, in words; empty where nothing does. */
export function failures({ difference, flips, auprcDrop }: Gate, limits: GateLimits): string[] {
  const found: [string, number | null, number][] = [
    ['largest |Δp|', difference, limits.difference],
    ['share of verdicts changed', flips, limits.flips],
    ['AUPRC lost', auprcDrop, limits.auprcDrop],
  ];
  return found.flatMap(([what, value, limit]) =>
    value !== null && value > limit ? [`${what} ${value.toPrecision(3)}, at most ${limit}`] : [],
  );
}
