/** What the report is made from: saved results, read and checked. Nothing here is worked out anew but what scores say. */
import type { CurvePoint } from '../distill/curve.ts';
import type { Score } from '../scoring/scorer.ts';
import type { AdaptResult } from './read/adapt.ts';
import type { CalibrationResult } from './read/calibration.ts';
import type { CostResult } from './read/cost.ts';
import type { ComparisonResult, EvaluatedGuard } from './read/evaluation.ts';
import type { ExportResult } from './read/export.ts';
import type { MeasureResult } from './read/measure.ts';
import type { SweepResult } from './read/sweep.ts';

/** With where it was read. */
export type From<Result> = Result & { readonly from: string };

export interface Student {
  readonly name: string;
  /** distillation.json */
  readonly record: {
    readonly options: Readonly<Record<string, unknown>>;
    readonly dataHash: string;
    readonly steps: number;
  };
  readonly curve: readonly CurvePoint[];
  /** The list of the model card: what it started from, its teacher, its rows. */
  readonly card: readonly (readonly [name: string, value: string])[];
}

export interface RunFolder {
  readonly name: string;
  /** Rows by state or reason of those left out. */
  readonly instructions: Counts;
  readonly responses: Counts;
  readonly labelled: number;
  readonly unlabelled: Counts;
  readonly sources: readonly { readonly what: string; readonly counts: Counts }[];
  readonly calls: readonly {
    readonly stage: string;
    readonly model: string;
    readonly calls: number;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly cost: number | null;
  }[];
  /** recipe.yaml as resolved, one leaf a line; `null` where the folder has none. */
  readonly recipe: readonly (readonly [path: string, value: string | number | boolean | null])[] | null;
}

export type Counts = Readonly<Record<string, number>>;

export interface ScoredRow extends Score {
  readonly id: string;
  readonly label: 0 | 1;
}

export interface ScoresFile {
  readonly name: string;
  readonly rows: readonly ScoredRow[];
}

export interface Findings {
  readonly guards: readonly From<EvaluatedGuard>[];
  readonly comparisons: readonly From<ComparisonResult>[];
  readonly scores: readonly From<ScoresFile>[];
  readonly costs: readonly From<CostResult>[];
  readonly measures: readonly From<MeasureResult>[];
  readonly calibrations: readonly From<CalibrationResult>[];
  readonly exports: readonly From<ExportResult>[];
  readonly students: readonly From<Student>[];
  readonly runs: readonly From<RunFolder>[];
  readonly sweeps: readonly From<SweepResult>[];
  readonly adaptations: readonly From<AdaptResult>[];
}

export const nothingFound: Findings = {
  ...{ guards: [], comparisons: [], scores: [], costs: [], measures: [], calibrations: [], exports: [] },
  ...{ students: [], runs: [], sweeps: [], adaptations: [] },
};

/** Both together. */
export function joined(a: Findings, b: Partial<Findings>): Findings {
  const entries = Object.entries(a).map(([name, list]) => [name, [...list, ...(b[name as keyof Findings] ?? [])]]);
  return Object.fromEntries(entries) as unknown as Findings;
}
