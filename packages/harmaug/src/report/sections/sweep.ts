/** Settings beside each other: mean and deviation over seeds, the curve over an axis of numbers, corrected comparisons. */
import { chart, colourOf, dashOf, figure, gallery, legend, marginFor, nameAxis, Plot, tickOf } from '../charts/plot.ts';
import type { From } from '../findings.ts';
import { type Html, html, type Part } from '../html.ts';
import { NONE, pValue, share, signed, whole } from '../numbers.ts';
import { figureOf } from '../read/fields.ts';
import type { SweepResult } from '../read/sweep.ts';
import { table } from '../table.ts';
import type { Material, Section } from './section.ts';

type Sweep = From<SweepResult>;

const LEAST_VALUES = 3; // of an axis that is drawn as a curve
const metricTitles: Readonly<Record<string, string>> = { auprc: 'AUPRC', f1: 'F1', fpr: 'False-positive rate' };

export const sweep: Section = {
  id: 'sweep',
  title: 'Sweep',
  render({ sweeps, nameOf }: Material) {
    if (sweeps.length === 0) return null;
    return html`${sweeps.map((one) => html`${sweeps.length > 1 ? html`<h3>${nameOf(one.from)}</h3>` : null}${sweepPart(one)}`)}`;
  },
};

/** A setting's figures, one a seed that was done: the mean of the sets with both classes, or of all where none has. */
function overSets({ cells, sets, seeds }: Sweep, setting: string, metric: string): (number | null)[] {
  const twoClass = sets.filter(({ rows, unsafe }) => unsafe > 0 && unsafe < rows);
  const counted = twoClass.length > 0 ? twoClass : sets;
  return seeds.map((seed) => {
    const cell = cells.find((one) => one.setting === setting && one.seed === seed && one.state === 'done');
    const values = counted.map(({ name }) => figureOf(cell?.figures?.[name] ?? null, metric).value);
    return values.length === 0 || values.includes(null)
      ? null
      : values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
  });
}

/** Mean and deviation of those that are known. */
function spread(values: readonly (number | null)[]) {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length === 0) return null;
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: numbers.length < 2 ? 0 : Math.sqrt(squares / (numbers.length - 1)), numbers };
}

/** One deviation to each side, within what a figure can be. */
const reach = ({ mean, std }: { readonly mean: number; readonly std: number }) => ({
  low: Math.max(0, mean - std),
  high: Math.min(1, mean + std),
});

function sweepPart(one: Sweep): Html {
  const missing = one.cells.filter(({ state }) => state !== 'done').length;
  const metrics = Object.keys(metricTitles).filter((metric) => one.summary.some((row) => row.metric === metric));
  return html`<p>${whole(one.settings.length)} settings, ${whole(one.seeds.length)} seeds each (${one.seeds.join(', ')})${
    missing > 0
      ? html`; <b>${whole(missing)} of ${whole(one.cells.length)} runs are missing or failed</b> and stand as ${NONE}`
      : null
  }. Bars reach one standard deviation to each side of the mean over the seeds, of the mean over the sets; small dots are the seeds.</p>
${gallery([...metrics.flatMap((metric) => bars(one, metric) ?? []), ...metrics.slice(0, 1).flatMap((metric) => axisCurves(one, metric))])}
${metrics.map((metric) => summaryTable(one, metric))}
${comparisonTable(one)}`;
}

function bars(one: Sweep, metric: string): Html | null {
  const points = one.settings.flatMap(({ name }) => {
    const found = spread(overSets(one, name, metric));
    return found === null ? [] : [{ name, ...found, ...reach(found) }];
  });
  if (points.length === 0) return null;
  const seeds = points.flatMap(({ name, numbers }) => numbers.map((value) => ({ name, value })));
  const names = marginFor(points.map(({ name }) => name));
  const base = points.find(({ name }) => name === one.baseline);
  return figure(
    metricTitles[metric]!,
    chart({
      label: `${metricTitles[metric]} of each setting, mean and standard deviation over seeds`,
      height: 52 + 26 * points.length,
      marginLeft: names,
      x: { label: null, grid: true, ticks: 5, nice: true },
      y: { label: null, domain: one.settings.map(({ name }) => name), tickSize: 0 },
      marks: [
        nameAxis(names),
        ...(base
          ? [Plot.ruleX([base.mean], { stroke: 'currentColor', strokeOpacity: 0.4, strokeDasharray: '3 3' })]
          : []),
        Plot.ruleY(points, {
          y: 'name',
          x1: 'low',
          x2: 'high',
          stroke: colourOf(0),
          strokeWidth: 6,
          strokeOpacity: 0.35,
        }),
        Plot.dot(seeds, { y: 'name', x: 'value', r: 1.8, fill: colourOf(0), fillOpacity: 0.7 }),
        Plot.dot(points, { y: 'name', x: 'mean', r: 4.5, fill: colourOf(0) }),
      ],
    }),
    base ? `dashed: ${one.baseline}` : undefined,
  );
}

/** One chart for each axis of enough numbers, such as the size of the synthetic set. */
function axisCurves(one: Sweep, metric: string): Html[] {
  const axes = [...new Set(one.settings.flatMap(({ values }) => Object.keys(values)))];
  return axes.flatMap((axis) => {
    const along = one.settings.filter(({ values }) => typeof values[axis] === 'number');
    if (new Set(along.map(({ values }) => values[axis])).size < LEAST_VALUES) return [];
    const groups = new Map<string, { x: number; mean: number; low: number; high: number }[]>();
    for (const { name, values } of along) {
      const found = spread(overSets(one, name, metric));
      if (found === null) continue;
      const others = Object.entries(values).filter(([key]) => key !== axis);
      const group = others
        .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
        .join(', ');
      const point = {
        x: Number(values[axis]),
        mean: found.mean,
        ...reach(found),
      };
      groups.set(group, [...(groups.get(group) ?? []), point]);
    }
    const series = [...groups].map(([name, points], index) => ({
      name,
      index,
      points: points.sort((a, b) => a.x - b.x),
    }));
    if (series.length === 0) return [];
    const drawn = chart({
      label: `${metricTitles[metric]} by ${axis}`,
      x: { label: axis, ticks: 5, tickFormat: tickOf, grid: true },
      y: { label: metricTitles[metric]!, ticks: 5, grid: true },
      marks: series.flatMap(({ points, index }) => [
        Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: colourOf(index), fillOpacity: 0.18 }),
        Plot.line(points, {
          x: 'x',
          y: 'mean',
          stroke: colourOf(index),
          strokeWidth: 1.8,
          strokeDasharray: dashOf(index),
        }),
        Plot.dot(points, { x: 'x', y: 'mean', fill: colourOf(index), r: 3.2 }),
      ]),
    });
    return [figure(`${metricTitles[metric]} by ${axis}`, html`${drawn}${legend(series)}`, 'band: ± one deviation')];
  });
}

function summaryTable(one: Sweep, metric: string): Html {
  const written = (mean: number, std: number | null, n: number): Part => {
    const few = n < one.seeds.length ? html`<span class="range">${n} of ${one.seeds.length} seeds</span>` : null;
    return html`${share(mean)}${std === null ? null : ` ± ${std.toFixed(3)}`}${few}`;
  };
  const cell = (setting: string, set: string): Part => {
    const found = one.summary.find((row) => row.setting === setting && row.set === set && row.metric === metric);
    return found === undefined || found.mean === null ? NONE : written(found.mean, found.std, found.n);
  };
  const overall = (setting: string): Part => {
    const found = spread(overSets(one, setting, metric));
    return found === null
      ? NONE
      : written(found.mean, found.numbers.length < 2 ? null : found.std, found.numbers.length);
  };
  const sets = one.sets.filter(({ name }) =>
    one.summary.some((row) => row.set === name && row.metric === metric && row.mean !== null),
  );
  return table(
    `${metricTitles[metric]}: mean ± deviation over seeds`,
    [
      { head: 'setting', cell: ({ name }) => name, isText: true },
      ...sets.map(({ name, version, rows }) => ({
        head: html`${name}<span class="range">${version === null ? null : `v${version}, `}${whole(rows)} rows</span>`,
        cell: (setting: (typeof one.settings)[number]) => cell(setting.name, name),
      })),
      ...(sets.length > 1
        ? [
            {
              head: 'mean',
              cell: ({ name }: (typeof one.settings)[number]) => overall(name),
            },
          ]
        : []),
    ],
    one.settings,
  );
}

function comparisonTable({ comparisons, baseline }: Sweep): Html | null {
  if (comparisons.length === 0) return null;
  return table(
    `Beside ${baseline ?? 'the baseline'}: paired bootstrap`,
    [
      { head: 'setting', cell: ({ setting }) => setting, isText: true },
      { head: 'beside', cell: (row) => row.baseline, isText: true },
      { head: 'set', cell: ({ set }) => set, isText: true },
      { head: 'metric', cell: ({ metric }) => metricTitles[metric] ?? metric, isText: true },
      { head: 'difference', cell: ({ difference }) => signed(difference) },
      {
        head: '95% interval',
        cell: ({ interval }) =>
          interval === null || interval.includes(null) ? NONE : interval.map((end) => signed(end)).join(' to '),
      },
      { head: 'p', cell: ({ p }) => pValue(p) },
      {
        head: 'p, corrected',
        cell: ({ pAdjusted }) =>
          pAdjusted !== null && pAdjusted < 0.05 ? html`<b>${pValue(pAdjusted)}</b>` : pValue(pAdjusted),
      },
    ],
    comparisons,
    'Corrected: for as many comparisons as there are in the table. Bold: under 0.05.',
  );
}
