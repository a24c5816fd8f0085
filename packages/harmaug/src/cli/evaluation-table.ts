/** Evaluations as people read them. */
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { MetricName } from '../evaluate/metrics.ts';
import type { MeanStd, SetSummary } from '../evaluate/summary.ts';
import { formatTable } from './table.ts';

const shown: readonly MetricName[] = ['f1', 'precision', 'recall', 'auprc', 'auroc', 'fpr', 'ece'];

/** One guard: its figures on each set. */
export function formatEvaluations(evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map(({ set, rows: count, unsafe, metrics, truncated }) => {
    const { low, high } = metrics.auprc;
    const interval = low === null || high === null ? '—' : `${low.toFixed(3)} to ${high.toFixed(3)}`;
    return [set, count, unsafe, ...shown.map((metric) => metrics[metric].value), interval, truncated];
  });
  const header = ['set', 'rows', 'unsafe', ...shown, 'AUPRC interval', 'cut'];
  return `${formatTable(header, rows)}${evaluations.flatMap(notesOf).join('')}`;
}

/** Several guards: mean and deviation on each set. */
export function formatSummary(summary: readonly SetSummary[]): string {
  const cell = ({ mean, std }: MeanStd) =>
    mean === null ? '—' : `${mean.toFixed(3)}${std === null ? '' : ` ±${std.toFixed(3)}`}`;
  const rows = summary.map(({ set, metrics }) => [set, ...shown.map((metric) => cell(metrics[metric]))]);
  return formatTable(['set', ...shown], rows);
}

/** What a reader of the table has to know. */
function notesOf({ set, rows, skipped, seenInTraining }: Evaluation): string[] {
  const share = `${((100 * (seenInTraining ?? 0)) / rows).toFixed(1)}%`;
  return [
    ...Object.entries(skipped).map(([reason, count]) => `${set}: ${count} records were left out: ${reason}\n`),
    ...(seenInTraining
      ? [`${set}: the guard learned from the prompts of ${seenInTraining} rows (${share}). Its figures flatter it.\n`]
      : []),
  ];
}
