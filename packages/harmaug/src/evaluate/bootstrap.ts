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
  const { resamples, seed, confidence } = { ...defaults, ...options };
  const draw = resampler(ranking.order.length, seed);
  const found = new Map(names.map((name) => [name, [] as number[]]));
  for (let n = 0; n < resamples; n++) {
    const curve = curveOf(ranking, draw());
    for (const name of names) {
      const value = metrics[name](curve, settings);
      if (value !== null) found.get(name)!.push(value);
    }
  }
  const whole = curveOf(ranking);
  const entries = names.map((name): [Name, Estimate] => {
    const sorted = Float64Array.from(found.get(name)!).sort();
    const tail = (1 - confidence) / 2;
    const value = metrics[name](whole, settings);
    return [name, { value, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) }];
  });
  return Object.fromEntries(entries) as Record<Name, Estimate>;
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
  const { resamples, seed, confidence } = { ...defaults, ...options };
  if (first.labels.length !== second.labels.length || first.labels.some((label, row) => label !== second.labels[row])) {
    throw new ConfigError('A paired test needs the same rows in the same order on both sides.');
  }
  const difference = (weights?: Uint32Array) => {
    const [a, b] = [first, second].map((ranking, side) => metrics[name](curveOf(ranking, weights), settings[side]!));
    return a === null || b === null || a === undefined || b === undefined ? null : a - b;
  };
  const value = difference();
  const draw = resampler(first.labels.length, seed);
  const found = Array.from({ length: resamples }, () => difference(draw())).filter((d) => d !== null);
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
