/** Of a sweep's result what the summary shows: figures by setting, and how often look-alikes are stopped. */
import { meanStd } from '../evaluate/summary.ts';
import { readEnd } from '../sweep/manifest.node.ts';
import type { SweepPlan } from '../sweep/plan.node.ts';
import type { SweepResult } from '../sweep/result.ts';

export interface Spread {
  readonly mean: number | null;
  /** Over seeds (n - 1). */
  readonly std: number | null;
}

export interface SettingFigures {
  readonly name: string;
  /** Seeds. */
  readonly n: number;
  /** Of the set with both classes, or the mean of several. */
  readonly f1: Spread;
  readonly auprc: Spread;
  /** Of harmless look-alikes; `null` where the recipe names none. */
  readonly lookAlikesFpr: Spread | null;
}

// a record's facts are plain data
export type SweepFacts = {
  readonly sets: readonly { readonly name: string; readonly rows: number; readonly unsafe: number }[];
  readonly baseline: string | null;
  readonly settings: readonly SettingFigures[];
  readonly lookAlikes: { readonly name: string; readonly rows: number } | null;
};

export async function figuresBySetting(
  plan: SweepPlan,
  { settings, summary, sets, baseline }: SweepResult,
  lookAlikes: string | undefined,
): Promise<SweepFacts> {
  const twoClass = sets.filter(({ rows, unsafe }) => unsafe > 0 && unsafe < rows);
  const [only] = twoClass.length > 1 ? [{ name: 'mean' }] : twoClass;
  let rows = 0;
  const figures: SettingFigures[] = [];
  for (const { name } of settings) {
    const of = (metric: 'f1' | 'auprc'): Spread => {
      const found = summary.find((row) => row.setting === name && row.set === only?.name && row.metric === metric);
      return { mean: found?.mean ?? null, std: found?.std ?? null };
    };
    const alike = lookAlikes === undefined ? [] : await falsePositives(plan, name, lookAlikes);
    rows = Math.max(rows, ...alike.map((one) => one.rows));
    figures.push({
      ...{ name, n: plan.sweep.seeds.length, f1: of('f1'), auprc: of('auprc') },
      lookAlikesFpr: alike.length === 0 ? null : meanStd(alike.map(({ fpr }) => fpr)),
    });
  }
  return {
    sets: sets.map((set) => ({ name: set.name, rows: set.rows, unsafe: set.unsafe })),
    baseline,
    settings: figures,
    lookAlikes: lookAlikes === undefined || rows === 0 ? null : { name: lookAlikes, rows },
  };
}

interface FalsePositives {
  readonly fpr: number | null;
  readonly rows: number;
}

/** Of each seed: in a set of that name, or the rows of a set that have it as their source or category. */
async function falsePositives({ cells }: SweepPlan, setting: string, name: string): Promise<FalsePositives[]> {
  const found: FalsePositives[] = [];
  for (const cell of cells.filter((one) => one.setting.name === setting)) {
    for (const { set, metrics, rows, slices } of (await readEnd(cell.folder))?.evaluations ?? []) {
      if (set === name) found.push({ fpr: metrics.fpr.value, rows });
      const slice = slices.find((one) => one.name === name && one.by !== 'length');
      if (slice) found.push({ fpr: slice.fpr, rows: slice.rows });
    }
  }
  return found;
}
