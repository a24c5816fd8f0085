/** Whether a score is a frequency; what calibrating chose. */
import { evaluationOn } from '../benchmarks.ts';
import { chart, colourOf, figure, gallery, legend, MUTED, Plot } from '../charts/plot.ts';
import { html } from '../html.ts';
import { NONE, share, whole } from '../numbers.ts';
import { figureOf } from '../read/fields.ts';
import { table } from '../table.ts';
import type { Material, Section } from './section.ts';

export const reliability: Section = {
  id: 'reliability',
  title: 'Reliability',
  render({ guards, benchmarks, calibrations, nameOf }: Material) {
    const figures = benchmarks.flatMap((benchmark) => {
      const lines = guards.flatMap((guard, index) => {
        const evaluation = evaluationOn(guard, benchmark);
        const bins = evaluation?.reliability ?? [];
        const ece = figureOf(evaluation?.metrics, 'ece').value;
        return bins.length === 0 || ece === null ? [] : [{ index, bins, ece }];
      });
      if (lines.length === 0) return [];
      const [lowest, highest] = [Math.min(...lines.map(({ ece }) => ece)), Math.max(...lines.map(({ ece }) => ece))];
      const most = Math.max(...lines.flatMap(({ bins }) => bins.map(({ count }) => count)));
      return [
        figure(
          benchmark.label,
          chart({
            label: `${benchmark.label}: share of unsafe rows by score`,
            x: { label: 'mean score', domain: [0, 1], ticks: 5, grid: true },
            y: { label: 'unsafe share', domain: [0, 1], ticks: 5, grid: true },
            r: { domain: [0, most], range: [0, 9] },
            marks: [
              Plot.line(
                [
                  [0, 0],
                  [1, 1],
                ],
                { stroke: MUTED, strokeDasharray: '2 3' },
              ),
              ...lines.flatMap(({ index, bins }) => [
                Plot.line(bins, { x: 'meanScore', y: 'unsafeShare', stroke: colourOf(index), strokeWidth: 1.4 }),
                Plot.dot(bins, {
                  x: 'meanScore',
                  y: 'unsafeShare',
                  r: 'count',
                  fill: colourOf(index),
                  fillOpacity: 0.35,
                  stroke: colourOf(index),
                }),
              ]),
            ],
          }),
          lowest === highest ? `ECE ${share(lowest)}` : `ECE ${share(lowest)} to ${share(highest)}`,
        ),
      ];
    });
    if (figures.length === 0 && calibrations.length === 0) return null;
    return html`${
      figures.length === 0
        ? null
        : html`<p>On the dotted line a score is a frequency: of the rows with a score of 0.8, eight in ten are unsafe. Above it a guard is
too sure that rows are safe, below it too sure that they are unsafe. Larger dots stand for more rows.</p>
${legend(guards.map(({ name }, index) => ({ name, index })))}${gallery(figures)}`
    }
${
  calibrations.length === 0
    ? null
    : html`<h3>Calibration</h3>${table(
        'Thresholds chosen for a wanted false-positive rate, and temperatures',
        [
          { head: 'guard', cell: ({ file }) => nameOf(file.replace(/[\\/]guard\.json$/, '')), isText: true },
          { head: 'wanted FPR', cell: (row) => share(row.wanted_fpr) },
          { head: 'threshold', cell: ({ threshold }) => share(threshold) },
          { head: 'temperature', cell: ({ temperature }) => share(temperature) },
          { head: 'FPR, fitted', cell: ({ fpr }) => share(fpr) },
          { head: 'FPR, held out', cell: (row) => share(row.held_out?.fpr) },
          {
            head: '95% interval',
            cell: ({ held_out }) => (held_out ? held_out.fpr_interval.map(share).join(' to ') : NONE),
          },
          { head: 'recall, held out', cell: (row) => share(row.held_out?.recall) },
          { head: 'ECE before', cell: (row) => share(row.held_out?.ece_before) },
          { head: 'ECE after', cell: (row) => share(row.held_out?.ece) },
          { head: 'rows held out', cell: (row) => whole(row.held_out?.rows) },
        ],
        calibrations,
      )}`
}`;
  },
};
