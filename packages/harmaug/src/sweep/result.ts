/** sweep.json: the figures of every cell, means over seeds, and comparisons with the baseline. What `harmaug report` reads. */
import { type BootstrapOptions, differenceOf, expectSameRows, minus, resampled } from '../evaluate/bootstrap.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import { type MetricName, metricNames, metrics } from '../evaluate/metrics.ts';
import { curveOf, type Ranking } from '../evaluate/ranking.ts';
import { meanStd, summarize } from '../evaluate/summary.ts';
import type { AxisValue } from './axes.ts';
import { holm } from './holm.ts';

export type Figures = Readonly<Record<MetricName, number | null>>;

export interface SweepCell {
  readonly setting: string;
  readonly seed: number;
  /** `missing`: not made yet. */
  readonly state: 'done' | 'failed' | 'missing';
  /** By set. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** `null` where it was not made. */
  readonly seconds: number | null;
  /** Relative to the sweep's. */
  readonly folder: string;
  /** Why it failed. */
  readonly message?: string;
}

export interface SweepSet {
  readonly name: string;
  /** Of a benchmark; `null` for a file. */
  readonly version: number | null;
  readonly rows: number;
  readonly unsafe: number;
  /** "sha256:…" of its rows. */
  readonly hash: string;
}

export interface SweepSummary {
  readonly setting: string;
  /** "mean": over the sets with both classes. */
  readonly set: string;
  readonly metric: MetricName;
  readonly mean: number | null;
  /** Over seeds, of the sample (n - 1); `null` for one. */
  readonly std: number | null;
  /** Seeds. */
  readonly n: number;
}

export interface SweepComparison {
  readonly setting: string;
  readonly baseline: string;
  readonly set: string;
  readonly metric: ComparedMetric;
  /** The setting's mean over seeds less the baseline's; `null` where there is no seed that both have. */
  readonly difference: number | null;
  readonly interval: readonly [low: number | null, high: number | null];
  /** Paired bootstrap over rows. */
  readonly p: number | null;
  /** Corrected for all comparisons of the sweep (Holm). */
  readonly pAdjusted: number | null;
  /** Seeds that both have. */
  readonly n: number;
}

export interface SweepResult {
  readonly kind: 'sweep';
  readonly version: 1;
  readonly recipe: string;
  readonly createdAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly baseline: string | null;
  readonly seeds: readonly number[];
  readonly settings: readonly { readonly name: string; readonly values: Readonly<Record<string, AxisValue>> }[];
  readonly sets: readonly SweepSet[];
  readonly cells: readonly SweepCell[];
  readonly summary: readonly SweepSummary[];
  readonly comparisons: readonly SweepComparison[];
}

export const comparedMetrics = ['auprc', 'f1'] as const satisfies readonly MetricName[];
type ComparedMetric = (typeof comparedMetrics)[number];

/** A cell that is done, with what its figures come from. */
export interface ScoredCell {
  readonly setting: string;
  readonly seed: number;
  /** Of the sets in order, the same ones for every cell. */
  readonly evaluations: readonly Evaluation[];
  readonly rankings: readonly Ranking[];
}

export function figuresOf({ metrics: estimates }: Evaluation): Figures {
  return Object.fromEntries(metricNames.map((name) => [name, estimates[name].value])) as Figures;
}

export const isTwoClass = ({ rows, unsafe }: Pick<Evaluation, 'rows' | 'unsafe'>) => unsafe > 0 && unsafe < rows;

/** Each setting's figures over its seeds: set by set, and the mean over the sets with both classes where there are several. */
export function summarizeSettings(settings: readonly string[], cells: readonly ScoredCell[]): SweepSummary[] {
  return settings.flatMap((setting) => {
    const own = cells.filter((cell) => cell.setting === setting).map(({ evaluations }) => evaluations);
    if (own.length === 0) return [];
    const perSet = own[0]!.map(({ set }, index) => ({ set, lists: own.map((evaluations) => [evaluations[index]!]) }));
    const twoClass = own.map((evaluations) => evaluations.filter(isTwoClass));
    const whole =
      twoClass[0]!.length > 1
        ? summarize(twoClass)
            .filter(({ set }) => set === 'mean')
            .slice(-1)
        : [];
    const rows = [...perSet.map(({ set, lists }) => ({ set, metrics: summarize(lists)[0]!.metrics })), ...whole];
    return rows.flatMap(({ set, metrics: found }) =>
      metricNames.map((metric) => ({ setting, set, metric, ...found[metric], n: own.length })),
    );
  });
}

/**
 * Every setting against the baseline, in each set with both classes and in their mean: a paired bootstrap over rows, the
 * figures of each resample averaged over the seeds that both have; p-values corrected over all of them.
 */
export function compareSettings(
  settings: readonly string[],
  baseline: string,
  cells: readonly ScoredCell[],
  options: BootstrapOptions = {},
): SweepComparison[] {
  const of = (name: string) => cells.filter(({ setting }) => setting === name);
  const base = new Map(of(baseline).map((cell) => [cell.seed, { cell, drawn: drawSets(cell, options) }]));
  const sets = setsOf(cells);
  const found = settings
    .filter((setting) => setting !== baseline)
    .flatMap((setting) => {
      const pairs = of(setting).flatMap((cell) => {
        const other = base.get(cell.seed);
        if (other === undefined) return [];
        for (const [set, ranking] of cell.rankings.entries()) expectSameRows(ranking, other.cell.rankings[set]!);
        return [[drawSets(cell, options), other.drawn] as const];
      });
      return comparedMetrics.flatMap((metric) =>
        sets.map(({ name, members }) => {
          const [ours, theirs] = [0, 1].map((side) =>
            averaged(pairs.flatMap((pair) => members.map((set) => pair[side]![set]![metric]))),
          );
          const differences = ours!.resamples.map((figure, n) => minus(figure, theirs!.resamples[n]!));
          const { value, low, high, pValue } = differenceOf(minus(ours!.whole, theirs!.whole), differences, options);
          const interval = [low, high] as const;
          return { setting, baseline, set: name, metric, difference: value, interval, p: pValue, n: pairs.length };
        }),
      );
    });
  const adjusted = holm(found.map(({ p }) => p));
  return found.map((comparison, index) => ({ ...comparison, pAdjusted: adjusted[index]! }));
}

const RESAMPLES_PER_COMPARISON = 100; // the smallest p, 2/(n + 1), stays under 0.02 when corrected
const MOST_RESAMPLES = 20_000;

/** Enough for a difference to be told however many comparisons there are; at least what was asked for. */
export function resamplesFor(settings: number, sets: number, asked: number): number {
  const comparisons = (settings - 1) * comparedMetrics.length * (sets > 1 ? sets + 1 : sets);
  return Math.max(asked, Math.min(MOST_RESAMPLES, RESAMPLES_PER_COMPARISON * comparisons));
}

interface Sample {
  readonly whole: number | null;
  readonly resamples: readonly (number | null)[];
}

type Drawn = Readonly<Record<ComparedMetric, Sample>>;

const FIRST_SEED = 1; // each set has one of its own, or sets of as many rows would be drawn alike

function drawSets({ evaluations, rankings }: ScoredCell, options: BootstrapOptions): Drawn[] {
  return rankings.map((ranking, set) => {
    const at = { threshold: evaluations[set]!.threshold };
    const curve = curveOf(ranking);
    const samples = resampled(ranking, comparedMetrics, at, { ...options, seed: FIRST_SEED + set });
    const entries = comparedMetrics.map((name) => [
      name,
      { whole: metrics[name](curve, at), resamples: samples[name] },
    ]);
    return Object.fromEntries(entries) as Drawn;
  });
}

/** Sets with both classes, by their place; with several, all of them together too. */
function setsOf(cells: readonly ScoredCell[]): { name: string; members: number[] }[] {
  const evaluations = cells[0]?.evaluations ?? [];
  const single = evaluations.flatMap((evaluation, index) =>
    isTwoClass(evaluation) ? [{ name: evaluation.set, members: [index] }] : [],
  );
  const members = single.flatMap((set) => set.members);
  return single.length > 1 ? [...single, { name: 'mean', members }] : single;
}

/** Resample by resample; of nothing there is no mean. */
function averaged(samples: readonly Sample[]): Sample {
  const count = samples[0]?.resamples.length ?? 0;
  return {
    whole: meanStd(samples.map(({ whole }) => whole)).mean,
    resamples: Array.from({ length: count }, (_, n) => meanStd(samples.map(({ resamples }) => resamples[n]!)).mean),
  };
}
