/** Which evaluation saved scores belong to: told by their figures, which no other scores have. */
import { evaluate } from '../evaluate/evaluate.ts';
import { type MetricName, metrics } from '../evaluate/metrics.ts';
import { curveOf, rank } from '../evaluate/ranking.ts';
import { type Benchmark, evaluationOn, type NamedGuard } from './benchmarks.ts';
import type { ScoredRow, ScoresFile } from './findings.ts';
import type { SavedEvaluation } from './read/evaluation.ts';

export interface ScoredSet {
  readonly guard: string;
  readonly benchmark: Benchmark;
  readonly threshold: number;
  readonly rows: readonly ScoredRow[];
}

const TELLING: readonly MetricName[] = ['auprc', 'auroc', 'f1', 'fpr', 'recall', 'brier', 'ece'];
const SAME = 1e-9;

/** @returns a guard's scores on a set, at most one a pair; and of each file the rows that no evaluation is of */
export function linkScores<File extends ScoresFile>(
  files: readonly File[],
  guards: readonly NamedGuard[],
  benchmarks: readonly Benchmark[],
): { readonly scored: readonly ScoredSet[]; readonly others: readonly File[] } {
  const scored: ScoredSet[] = [];
  const used = new Map(files.map((file) => [file, new Set<string>()]));
  for (const guard of guards) {
    for (const benchmark of benchmarks) {
      const evaluation = evaluationOn(guard, benchmark);
      if (evaluation === null) continue;
      for (const file of files) {
        const { rows, prefix } = rowsOf(file, evaluation.set);
        if (!isOf(rows, evaluation)) continue;
        scored.push({ guard: guard.name, benchmark, threshold: evaluation.threshold, rows });
        for (const { id } of rows) used.get(file)!.add(prefix + id);
        break;
      }
    }
  }
  const others = files.flatMap((file) => {
    const rows = file.rows.filter(({ id }) => !used.get(file)!.has(id));
    return rows.length === 0 ? [] : [{ ...file, rows }];
  });
  return { scored, others };
}

/** Those of one set, where a file holds several; without the prefix that tells them apart. */
function rowsOf({ rows }: ScoresFile, set: string): { readonly rows: readonly ScoredRow[]; readonly prefix: string } {
  const prefix = `${set}/`;
  const own = rows.filter(({ id }) => id.startsWith(prefix));
  if (own.length === 0) return { rows, prefix: '' };
  return { rows: own.map((row) => ({ ...row, id: row.id.slice(prefix.length) })), prefix };
}

function isOf(
  rows: readonly ScoredRow[],
  { rows: count, unsafe, threshold, metrics: saved }: SavedEvaluation,
): boolean {
  if (rows.length !== count || rows.filter(({ label }) => label === 1).length !== unsafe) return false;
  const curve = curveOf(
    rank(
      rows.map(({ score }) => score),
      rows.map(({ label }) => label),
    ),
  );
  return TELLING.every((metric) => {
    const expected = saved[metric]?.value;
    if (expected === undefined) return true;
    const found = metrics[metric](curve, { threshold });
    return found === null || expected === null ? found === expected : Math.abs(found - expected) < SAME;
  });
}

const MOST_RESAMPLED = 5000; // rows; more take a minute

/** What scores that belong to no evaluation say by themselves: at a threshold of a half. */
export function evaluateScores({ name, rows }: ScoresFile): SavedEvaluation {
  const set = {
    id: name,
    version: null,
    rows: rows.map(({ id, label }) => ({ id, prompt: id, label })),
    skipped: {},
  };
  const evaluation = evaluate(set, rows, 0.5, { resamples: rows.length <= MOST_RESAMPLED ? 1000 : 0 });
  return { ...evaluation, slices: [], reliability: [...evaluation.reliability] };
}
