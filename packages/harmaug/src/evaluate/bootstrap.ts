/** Intervals and paired tests by resampling rows, from a seed. */
import { mulberry32 } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { type MetricName, type MetricSettings, metrics } from './metrics.ts';
import { curveOf, type Ranking } from './ranking.ts';

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
  /** Share of resamples inside an interval. */
  readonly confidence?: number;
}

const defaults = { resamples: 1000, seed: 1, confidence: 0.95 };

/** A figure with the range that 95% of the resamples fall into. `null` where the figure has no meaning. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Percentile intervals of several metrics at once. Resamples in which a metric has no meaning are left out of its own.
 * Source: Efron & Tibshirani 1993, chapter 13.
 */
export function estimate<Name extends MetricName>(
  ranking: Ranking,
  names: readonly Name[],
  settings: MetricSettings,
  options: BootstrapOptions = {},
): Record<Name, Estimate> {
  const { confidence } = { ...defaults, ...options };
  const found = resampled(ranking, names, settings, options);
  const whole = curveOf(ranking);
  const entries = names.map((name): [Name, Estimate] => {
    const sorted = Float64Array.from(found[name].filter((figure) => figure !== null)).sort();
    const tail = (1 - confidence) / 2;
    const value = metrics[name](whole, settings);
    return [name, { value, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) }];
  });
  return Object.fromEntries(entries) as Record<Name, Estimate>;
}

/**
 * Metrics of every resample; `null` where one has no meaning. The resamples of as many rows with the same seed are the same:
 * figures of guards on the same rows may be subtracted one by one.
 */
export function resampled<Name extends MetricName>(
  ranking: Ranking,
  names: readonly Name[],
  settings: MetricSettings,
  options: BootstrapOptions = {},
): Record<Name, (number | null)[]> {
  const { resamples, seed } = { ...defaults, ...options };
  const draw = resampler(ranking.order.length, seed);
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, (number | null)[]>;
  for (let n = 0; n < resamples; n++) {
    const curve = curveOf(ranking, draw());
    for (const name of names) found[name].push(metrics[name](curve, settings));
  }
  return found;
}

export interface Comparison extends Estimate {
  /** Two-sided: how often the difference of a resample has the other sign. */
  readonly pValue: number | null;
}

/**
 * The first guard's metric minus the second's on the same rows, each with its own threshold: a paired bootstrap.
 * @throws ConfigError when the rows are not the same
 */
export function compare(
  first: Ranking,
  second: Ranking,
  name: MetricName,
  settings: readonly [MetricSettings, MetricSettings],
  options: BootstrapOptions = {},
): Comparison {
  expectSameRows(first, second);
  const figures = [first, second].map((ranking, side) => metrics[name](curveOf(ranking), settings[side]!));
  const [ours, theirs] = [first, second].map((ranking, side) => {
    return resampled(ranking, [name], settings[side]!, options)[name];
  });
  const differences = ours!.map((figure, n) => minus(figure, theirs![n]!));
  return differenceOf(minus(figures[0]!, figures[1]!), differences, options);
}

/** @throws ConfigError */
export function expectSameRows(first: Ranking, second: Ranking): void {
  if (first.labels.length === second.labels.length && first.labels.every((label, row) => label === second.labels[row]))
    return;
  throw new ConfigError('A paired test needs the same rows in the same order on both sides.');
}

/** `null` where one of them has no meaning. */
export function minus(first: number | null, second: number | null): number | null {
  return first === null || second === null ? null : first - second;
}

/**
 * A difference with its interval and its p-value.
 * @param differences of the resamples; those without a meaning are left out
 */
export function differenceOf(
  value: number | null,
  differences: readonly (number | null)[],
  options: Pick<BootstrapOptions, 'confidence'> = {},
): Comparison {
  const { confidence } = { ...defaults, ...options };
  const found = differences.filter((d) => d !== null);
  const sorted = Float64Array.from(found).sort();
  const tail = (1 - confidence) / 2;
  const [low, high] = [quantile(sorted, tail), quantile(sorted, 1 - tail)];
  if (value === null || found.length === 0) return { value, low, high, pValue: null };
  const below = found.filter((d) => d <= 0).length;
  const above = found.filter((d) => d >= 0).length;
  // one more of each, so that no finite number of resamples gives 0 (Davison & Hinkley 1997, section 4.2)
  const pValue = Math.min(1, (2 * (Math.min(below, above) + 1)) / (found.length + 1));
  return { value, low, high, pValue };
}

/** How often each of `count` rows comes in a draw of as many with replacement. The array is used anew at every call. */
function resampler(count: number, seed: number): () => Uint32Array {
  const uniform = mulberry32(seed);
  const weights = new Uint32Array(count);
  return () => {
    weights.fill(0);
    for (let n = 0; n < count; n++) weights[Math.floor(uniform() * count)]! += 1;
    return weights;
  };
}

/** Linear between neighbours, as numpy's default. `null` of nothing. */
function quantile(sorted: Float64Array, share: number): number | null {
  if (sorted.length === 0) return null;
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}
