/** Several guards of one kind, one a seed, as mean and standard deviation. */
import type { Evaluation } from './evaluate.ts';
import { type MetricName, metricNames } from './metrics.ts';

export interface MeanStd {
  readonly mean: number | null;
  /** Of the sample (n - 1); `null` for fewer than two. */
  readonly std: number | null;
}

export interface SetSummary {
  readonly set: string;
  readonly metrics: Readonly<Record<MetricName, MeanStd>>;
}

/** `null` among the values has no meaning, and neither has their mean then. */
export function meanStd(values: readonly (number | null)[]): MeanStd {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length === 0 || numbers.length < values.length) return { mean: null, std: null };
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  if (numbers.length < 2) return { mean, std: null };
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (numbers.length - 1)) };
}

/**
 * Each set over the guards; then, with several sets, the mean over those in which a metric has a meaning, worked out guard
 * by guard, so that its deviation is that of the guards.
 * @param guards the evaluations of each guard, over the same sets in the same order
 */
export function summarize(guards: readonly (readonly Evaluation[])[]): SetSummary[] {
  const sets = guards[0]!;
  const rows = sets.map(({ set }, index) => ({
    set,
    metrics: byMetric((metric) => meanStd(guards.map((evaluations) => evaluations[index]!.metrics[metric].value))),
  }));
  if (sets.length < 2) return rows;
  const overSets = (evaluations: readonly Evaluation[], metric: MetricName) =>
    meanStd(evaluations.map(({ metrics }) => metrics[metric].value).filter((value) => value !== null)).mean;
  const mean = byMetric((metric) => meanStd(guards.map((evaluations) => overSets(evaluations, metric))));
  return [...rows, { set: 'mean', metrics: mean }];
}

function byMetric(value: (metric: MetricName) => MeanStd): Record<MetricName, MeanStd> {
  return Object.fromEntries(metricNames.map((metric) => [metric, value(metric)])) as Record<MetricName, MeanStd>;
}
