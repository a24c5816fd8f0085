/** Precision-recall and ROC curves, and histograms of scores: from saved scores. */
import { curveOf, rank } from '../../evaluate/ranking.ts';
import { chart, colourOf, dashOf, figure, gallery, legend, MUTED, Plot } from '../charts/plot.ts';
import { type Html, html } from '../html.ts';
import type { ScoredSet } from '../link-scores.ts';
import { type Point, thinLine } from '../thin.ts';
import type { Material, Section } from './section.ts';

const curvesIn = ({ rows }: ScoredSet) =>
  curveOf(
    rank(
      rows.map(({ score }) => score),
      rows.map(({ label }) => label),
    ),
  );

/** Precision by recall at every threshold, the highest first. Steps, as average precision counts them. */
export function precisionRecall(set: ScoredSet): Point[] {
  const { truePositives, falsePositives, positives } = curvesIn(set);
  const points: Point[] = Array.from(truePositives, (caught, index) => [
    caught / positives,
    caught / (caught + falsePositives[index]!),
  ]);
  const stepped = points.flatMap(([recall, precision], index): Point[] => [
    [points[index - 1]?.[0] ?? 0, precision],
    [recall, precision],
  ]);
  return thinLine(stepped);
}

export function roc(set: ScoredSet): Point[] {
  const { truePositives, falsePositives, positives, negatives } = curvesIn(set);
  const points: Point[] = Array.from(truePositives, (caught, index) => [
    falsePositives[index]! / negatives,
    caught / positives,
  ]);
  return thinLine([[0, 0], ...points]);
}

const hasBoth = ({ benchmark: { rows, unsafe } }: ScoredSet) => unsafe > 0 && unsafe < rows;

function curveChart(
  title: string,
  axes: readonly [x: string, y: string],
  lines: readonly Line[],
  guide: readonly Point[],
) {
  return figure(
    title,
    chart({
      label: `${title}: ${axes[1]} by ${axes[0]} of ${lines.length} guards`,
      x: { label: axes[0], domain: [0, 1], ticks: 5, grid: true },
      y: { label: axes[1], domain: [0, 1], ticks: 5, grid: true },
      marks: [
        Plot.line(guide, { stroke: MUTED, strokeDasharray: '2 3' }),
        ...lines.map(({ points, index }) =>
          Plot.line(points, { stroke: colourOf(index), strokeWidth: 1.8, strokeDasharray: dashOf(index) }),
        ),
      ],
    }),
  );
}

interface Line {
  readonly points: readonly Point[];
  readonly index: number;
}

export const curves: Section = {
  id: 'curves',
  title: 'Precision, recall, false alarms',
  render({ scored, guards, benchmarks }: Material) {
    const usable = scored.filter(hasBoth);
    if (usable.length === 0) return null;
    const indexOf = (name: string) => guards.findIndex((guard) => guard.name === name);
    const sets = benchmarks.flatMap((benchmark) => {
      const own = usable.filter((set) => set.benchmark.key === benchmark.key);
      const lines = (curve: (set: ScoredSet) => Point[]) =>
        own.map((set) => ({ points: curve(set), index: indexOf(set.guard) }));
      return own.length === 0 ? [] : [{ benchmark, lines }];
    });
    const precisions = sets.map(({ benchmark, lines }) => {
      const base = benchmark.unsafe / benchmark.rows;
      return curveChart(benchmark.label, ['recall', 'precision'], lines(precisionRecall), [
        [0, base],
        [1, base],
      ]);
    });
    const rocs = sets.map(({ benchmark, lines }) =>
      curveChart(benchmark.label, ['false-positive rate', 'recall'], lines(roc), [
        [0, 0],
        [1, 1],
      ]),
    );
    const names = guards.flatMap(({ name }, index) =>
      usable.some(({ guard }) => guard === name) ? [{ name, index }] : [],
    );
    return html`<p>The dotted line is a guard that guesses.</p>
${names.length === 1 ? html`<p class="about">${names[0]!.name}</p>` : legend(names)}
<h3>Precision by recall</h3>${gallery(precisions)}
<h3>Recall by false-positive rate (ROC)</h3>${gallery(rocs)}`;
  },
};

const BINS = 40;
const TICKS = [0.01, 0.1, 0.3, 0.6, 1];

export const histograms: Section = {
  id: 'scores',
  title: 'Scores',
  render({ scored, guards }: Material) {
    if (scored.length === 0) return null;
    const drawn = guards.flatMap(({ name }) =>
      scored.filter(({ guard }) => guard === name).map((set) => histogram(set, guards.length > 1)),
    );
    return html`<p>How the scores of safe and unsafe rows are spread, each as a share of its class, in square-root scale. The dashed line is the threshold: what
lies right of it is called unsafe.</p>
<ul class="legend"><li><svg width="14" height="10" aria-hidden="true"><rect width="14" height="10" fill="var(--unsafe)"/></svg>unsafe, upwards</li><li><svg width="14" height="10" aria-hidden="true"><rect width="14" height="10" fill="var(--safe)"/></svg>safe, downwards</li></ul>
${gallery(drawn)}`;
  },
};

function histogram({ guard, benchmark, rows, threshold }: ScoredSet, isNamed: boolean): Html {
  const counts = [new Array<number>(BINS).fill(0), new Array<number>(BINS).fill(0)];
  for (const { score, label } of rows) {
    const bin = Math.max(0, Math.min(BINS - 1, Math.floor(score * BINS)));
    counts[label]![bin]! += 1;
  }
  const bars = counts.flatMap((bins, label) => {
    const total = bins.reduce((a, b) => a + b, 0);
    const sign = label === 1 ? 1 : -1;
    return bins.flatMap((n, bin) =>
      n === 0 ? [] : [{ from: bin / BINS, to: (bin + 1) / BINS, share: (sign * n) / total, label }],
    );
  });
  const highest = (label: number) =>
    Math.max(0, ...bars.flatMap((bar) => (bar.label === label ? Math.abs(bar.share) : [])));
  const [least, most] = [-highest(0), highest(1)];
  const title = isNamed ? `${guard} on ${benchmark.label}` : benchmark.label;
  return figure(
    title,
    chart({
      label: `${title}: scores of ${benchmark.unsafe} unsafe and ${benchmark.rows - benchmark.unsafe} safe rows, threshold ${threshold.toFixed(3)}`,
      height: 210,
      x: { label: 'p(unsafe)', domain: [0, 1], ticks: 5 },
      y: {
        label: 'share of class',
        type: 'sqrt', // so that bins of few rows are seen beside full ones
        domain: [least, most],
        ticks: TICKS.flatMap((tick) => [-tick, tick]).filter((tick) => tick >= least && tick <= most),
        tickFormat: (value: number) => `${Math.round(Math.abs(100 * value))}%`,
        grid: true,
      },
      marks: [
        Plot.rect(bars, {
          x1: 'from',
          x2: 'to',
          y1: 0,
          y2: 'share',
          fill: ({ label }) => (label === 1 ? 'var(--unsafe)' : 'var(--safe)'),
          insetLeft: 0.4,
          insetRight: 0.4,
        }),
        Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.5 }),
        Plot.ruleX([threshold], { stroke: 'currentColor', strokeDasharray: '4 3' }),
      ],
    }),
  );
}
