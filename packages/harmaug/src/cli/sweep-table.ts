/** A sweep's result as tables: settings by sets, then each setting against the baseline. */
import type { MetricName } from '../evaluate/metrics.ts';
import type { SweepComparison, SweepResult, SweepSet } from '../sweep/result.ts';
import { type Cell, formatTable } from './table.ts';

/** What a set can tell, by its classes. */
function metricsOf({ rows, unsafe }: SweepSet): MetricName[] {
  if (unsafe > 0 && unsafe < rows) return ['auprc', 'f1'];
  return [unsafe > 0 ? 'recall' : 'fpr'];
}

const titles: Partial<Record<MetricName, string>> = { auprc: 'AUPRC', f1: 'F1', fpr: 'FPR', recall: 'recall' };

export function formatSweep(result: SweepResult): string {
  const { sets, cells, baseline, comparisons } = result;
  const failed = cells.filter(({ state }) => state === 'failed');
  const kinds = (['auprc', 'f1', 'recall', 'fpr'] as const).flatMap((metric) => {
    const columns = sets.filter((set) => metricsOf(set).includes(metric)).map(({ name }) => name);
    if (columns.length === 0) return [];
    const hasMean = columns.length > 1 && (metric === 'auprc' || metric === 'f1');
    return [`${titles[metric]}\n${formatFigures(result, metric, hasMean ? [...columns, 'mean'] : columns)}`];
  });
  return [
    ...kinds,
    ...(comparisons.length > 0 ? [`against ${baseline}\n${formatComparisons(comparisons)}`] : []),
    ...(failed.length > 0
      ? [failed.map(({ setting, seed, message }) => `${setting}, seed ${seed}: ${message}\n`).join('')]
      : []),
  ].join('\n');
}

function formatFigures(
  { settings, seeds, summary }: SweepResult,
  metric: MetricName,
  columns: readonly string[],
): string {
  const rows = settings.map(({ name }) => {
    const own = summary.filter((row) => row.setting === name && row.metric === metric);
    const done = own[0]?.n ?? 0;
    const figures = columns.map((set): string => {
      const { mean, std } = own.find((row) => row.set === set) ?? { mean: null, std: null };
      if (mean === null) return '—';
      return std === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${std.toFixed(3)}`;
    });
    return [name, `${done}/${seeds.length}`, ...figures];
  });
  return formatTable(['setting', 'seeds', ...columns], rows);
}

function formatComparisons(comparisons: readonly SweepComparison[]): string {
  const rows = comparisons.map(({ setting, set, metric, difference, interval, p, pAdjusted }): Cell[] => {
    const [low, high] = interval;
    return [setting, set, titles[metric]!, signed(difference), signed(low), signed(high), small(p), small(pAdjusted)];
  });
  return formatTable(['setting', 'set', 'metric', 'difference', 'low', 'high', 'p', 'p adjusted'], rows);
}

/** Of a difference the sign is what one reads first. */
function signed(value: number | null): string {
  return value === null ? '—' : `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

function small(p: number | null): string {
  return p === null ? '—' : p.toFixed(4);
}
