/** Guards × sets: AUPRC, F1 and FPR with their intervals, as a chart and as tables. */
import { type Benchmark, evaluationOn, type NamedGuard } from '../benchmarks.ts';
import { chart, colourOf, figure, legend, marginFor, Plot } from '../charts/plot.ts';
import { type Html, html, type Part } from '../html.ts';
import { NONE, percent, pValue, share, signed, whole } from '../numbers.ts';
import { type Estimated, figureOf } from '../read/fields.ts';
import { type Column, table } from '../table.ts';
import type { Section } from './section.ts';

interface Shown {
  readonly metric: string;
  readonly title: string;
  readonly about: string;
  readonly isBest: (a: number, b: number) => boolean;
}

const shown: readonly Shown[] = [
  {
    metric: 'auprc',
    title: 'AUPRC',
    about: 'Average precision over all thresholds. Higher is better.',
    isBest: (a, b) => a > b,
  },
  { metric: 'f1', title: 'F1', about: 'At each guard’s own threshold. Higher is better.', isBest: (a, b) => a > b },
  {
    metric: 'fpr',
    title: 'False-positive rate',
    about: 'Share of the safe rows that are called unsafe, at each guard’s own threshold. Lower is better.',
    isBest: (a, b) => a < b,
  },
];

const DIGITS = 3;

export const headline: Section = {
  id: 'results',
  title: 'Results',
  render({ guards, benchmarks, comparisons, nameOf }) {
    if (guards.length === 0 && comparisons.length === 0) return null;
    const namesakes = benchmarks.filter(({ isOneOfSeveral }) => isOneOfSeveral);
    return html`
${
  guards.length === 0
    ? null
    : html`<p>Beneath each figure is the range that holds 95% of the resamples of its rows. ${NONE} stands for what was not
measured, or has no meaning on that set. The best of a column is bold.</p>
${
  namesakes.length === 0
    ? null
    : html`<p class="note">Sets of one name whose version or rows differ stand in columns of their own; their figures do not compare.</p>`
}
${overview(guards, benchmarks)}
${shown.map((one) => metricTable(one, guards, benchmarks))}
${setTable(guards, benchmarks)}`
}
${comparisons.map(
  ({ scores, against, rows, differences }) => html`<h3>${nameOf(scores)} less ${nameOf(against)}</h3>
${table(
  `Paired bootstrap on ${whole(rows)} rows`,
  [
    { head: 'metric', cell: ({ metric }) => metric, isText: true },
    { head: 'difference', cell: ({ value }) => signed(value) },
    { head: '95% interval', cell: ({ low, high }) => range({ low, high }, signed) },
    { head: 'p', cell: (row) => pValue(row.pValue) },
  ],
  differences,
)}`,
)}`;
  },
};

const range = ({ low, high }: Pick<Estimated, 'low' | 'high'>, write = share): string =>
  low === null || high === null ? NONE : `${write(low)} to ${write(high)}`;

/** A figure above its interval. */
const estimateCell = ({ value, low, high }: Estimated, isBest = false): Part =>
  value === null
    ? NONE
    : html`${isBest ? html`<b>${share(value)}</b>` : share(value)}${
        low === null || high === null
          ? null
          : html`<span class="range">${low.toFixed(DIGITS)}–${high.toFixed(DIGITS)}</span>`
      }`;

type Line = {
  readonly name: string;
  readonly at: (benchmark: Benchmark) => Part;
  readonly mean: Part;
  readonly isMean?: boolean;
};

function metricTable(
  { metric, title, about, isBest }: Shown,
  guards: readonly NamedGuard[],
  all: readonly Benchmark[],
) {
  const estimateOn = (guard: NamedGuard, benchmark: Benchmark): Estimated =>
    figureOf(evaluationOn(guard, benchmark)?.metrics, metric);
  const benchmarks = all.filter((benchmark) => guards.some((guard) => estimateOn(guard, benchmark).value !== null));
  if (benchmarks.length === 0) return null;
  const best = new Map(
    benchmarks.map(({ key }, at) => {
      const values = guards.flatMap((guard) => estimateOn(guard, benchmarks[at]!).value ?? []);
      return [key, values.reduce((a, b) => (isBest(b, a) ? b : a))];
    }),
  );
  const means = benchmarks.every(({ isOneOfSeveral }) => !isOneOfSeveral);
  const meanOf = (guard: NamedGuard): number | null => {
    const values = benchmarks.map((benchmark) => estimateOn(guard, benchmark).value);
    return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
  };
  const lines: Line[] = guards.map((guard) => ({
    name: guard.name,
    at: (benchmark) => {
      const estimate = estimateOn(guard, benchmark);
      return estimateCell(estimate, guards.length > 1 && estimate.value === best.get(benchmark.key));
    },
    mean: share(meanOf(guard)),
  }));
  const groups = groupsOf(guards);
  for (const group of groups) {
    lines.push({
      name: `mean of ${groups.length > 1 ? group.map(({ name }) => name).join(', ') : group.length} ± deviation`,
      at: (benchmark) => meanDeviation(group.map((guard) => estimateOn(guard, benchmark).value)),
      mean: meanDeviation(group.map(meanOf)),
      isMean: true,
    });
  }
  const columns: Column<Line>[] = [
    { head: 'guard', cell: ({ name, isMean }) => (isMean ? html`<i>${name}</i>` : name), isText: true },
    ...benchmarks.map((benchmark) => ({ head: benchmark.label, cell: ({ at }: Line) => at(benchmark) })),
    ...(means && benchmarks.length > 1 ? [{ head: 'mean', cell: ({ mean }: Line) => mean }] : []),
  ];
  return table(title, columns, lines, about);
}

/** Guards that were measured together, as the seeds of one student are. */
function groupsOf(guards: readonly NamedGuard[]): NamedGuard[][] {
  const groups = new Map<string, NamedGuard[]>();
  for (const guard of guards) {
    if (guard.together > 1) groups.set(guard.from, [...(groups.get(guard.from) ?? []), guard]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function meanDeviation(values: readonly (number | null)[]): string {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length === 0 || numbers.length < values.length) return NONE;
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  if (numbers.length < 2) return share(mean);
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${share(mean)} ± ${Math.sqrt(squares / (numbers.length - 1)).toFixed(DIGITS)}`;
}

/** AUPRC of every guard on every set at a glance; FPR where a set has safe rows alone. */
function overview(guards: readonly NamedGuard[], benchmarks: readonly Benchmark[]): Html | null {
  const points = (metric: string) =>
    benchmarks.flatMap((benchmark) =>
      guards.flatMap((guard, index) => {
        const { value, low, high } = figureOf(evaluationOn(guard, benchmark)?.metrics, metric);
        return value === null ? [] : [{ set: benchmark.label, guard: String(index), index, value, low, high }];
      }),
    );
  const drawn = shown.flatMap(({ metric, title }) => {
    const found = points(metric);
    if (found.length === 0) return [];
    const sets = new Set(found.map(({ set }) => set)).size;
    const names = marginFor(found.map(({ set }) => set));
    const lines = Math.max(2, guards.length);
    return [
      figure(
        title,
        chart({
          label: `${title} of each guard on each set with 95% intervals; the tables below have the figures`,
          height: 32 + sets * (10 + 9 * lines),
          marginLeft: names,
          marginTop: 6,
          x: { label: null, domain: [0, 1], grid: true, ticks: 5 },
          y: { axis: null, domain: guards.map((_, index) => String(index)), padding: 0.4 },
          fy: { label: null, domain: [...new Set(found.map(({ set }) => set))], padding: 0.15 },
          marks: [
            Plot.axisFy({
              anchor: 'left',
              label: null,
              fontSize: 11,
              textOverflow: 'ellipsis',
              lineWidth: (names - 24) / 11,
            }),
            Plot.ruleY(
              found.filter(({ low, high }) => low !== null && high !== null),
              {
                fy: 'set',
                y: 'guard',
                x1: 'low',
                x2: 'high',
                stroke: ({ index }) => colourOf(index),
                strokeWidth: 2,
                strokeOpacity: 0.55,
              },
            ),
            Plot.dot(found, { fy: 'set', y: 'guard', x: 'value', r: 3.4, fill: ({ index }) => colourOf(index) }),
          ],
        }),
      ),
    ];
  });
  return html`${legend(guards.map(({ name }, index) => ({ name, index })))}<div class="gallery">${drawn}</div>`;
}

/** What the figures are of. */
function setTable(guards: readonly NamedGuard[], benchmarks: readonly Benchmark[]): Html {
  const evaluations = guards.flatMap((guard) =>
    benchmarks.flatMap((benchmark) => {
      const evaluation = evaluationOn(guard, benchmark);
      return evaluation === null ? [] : [{ guard, benchmark, evaluation }];
    }),
  );
  return html`<details><summary>What was measured: rows, thresholds, further figures</summary>
${table(
  'Every guard on every set',
  [
    { head: 'guard', cell: ({ guard }) => guard.name, isText: true },
    { head: 'set', cell: ({ benchmark }) => benchmark.label, isText: true },
    { head: 'version', cell: ({ benchmark }) => benchmark.version },
    { head: 'rows', cell: ({ evaluation }) => whole(evaluation.rows) },
    { head: 'unsafe', cell: ({ evaluation }) => whole(evaluation.unsafe) },
    { head: 'threshold', cell: ({ evaluation }) => share(evaluation.threshold) },
    ...['precision', 'recall', 'auroc', 'recallAt1Fpr', 'ece', 'brier'].map((metric) => ({
      head: furtherNames[metric],
      cell: ({ evaluation }: (typeof evaluations)[number]) => share(figureOf(evaluation.metrics, metric).value),
    })),
    { head: 'cut', cell: ({ evaluation }) => whole(evaluation.truncated) },
    { head: 'left out', cell: ({ evaluation }) => whole(Object.values(evaluation.skipped).reduce((a, b) => a + b, 0)) },
    {
      head: 'learned from',
      cell: ({ evaluation: { seenInTraining, rows } }) =>
        seenInTraining === null
          ? NONE
          : `${whole(seenInTraining)} (${percent(rows === 0 ? 0 : seenInTraining / rows)})`,
    },
  ],
  evaluations,
  'Cut: rows longer than the guard reads. Left out: records without a label or a verdict. Learned from: rows whose prompt was in the guard’s training data; figures on them flatter it.',
)}</details>`;
}

const furtherNames: Readonly<Record<string, string>> = {
  ...{
    precision: 'precision',
    recall: 'recall',
    auroc: 'AUROC',
    recallAt1Fpr: 'recall at 1% FPR',
    ece: 'ECE',
    brier: 'Brier',
  },
};
