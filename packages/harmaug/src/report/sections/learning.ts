/** How students learned: loss by step, validation by epoch. */
import type { StepPoint, ValidationPoint } from '../../distill/curve.ts';
import { chart, colourOf, dashOf, figure, gallery, legend, Plot, tickOf } from '../charts/plot.ts';
import { html } from '../html.ts';
import { share, whole } from '../numbers.ts';
import { table } from '../table.ts';
import { type Point, smooth, thinLine, thinNoise } from '../thin.ts';
import type { Material, Section } from './section.ts';

export const learning: Section = {
  id: 'learning',
  title: 'Learning',
  render({ students, nameOf }: Material) {
    if (students.length === 0) return null;
    const curves = students.map(({ name, curve, record }, index) => {
      const steps = curve.filter((point): point is StepPoint => point.kind === 'step' && Number.isFinite(point.loss));
      const loss = steps.map(({ step, loss }): Point => [step, loss]);
      return {
        index,
        name: nameOf(name),
        record,
        loss: { noisy: thinNoise(loss), calm: thinLine(smooth(loss, Math.max(5, loss.length / 40))) },
        validation: curve.filter((point): point is ValidationPoint => point.kind === 'validation'),
      };
    });
    const drawn = curves.filter(({ loss }) => loss.noisy.length > 1);
    const measured = curves.filter(({ validation }) => validation.some(({ auprc }) => typeof auprc === 'number'));
    const losses = chart({
      label: 'Training loss by step',
      x: { label: 'step', ticks: 5, tickFormat: tickOf },
      y: { label: 'loss', grid: true, ticks: 5, zero: true },
      marks: [
        ...drawn.map(({ loss, index }) =>
          Plot.line(loss.noisy, { stroke: colourOf(index), strokeWidth: 0.8, strokeOpacity: 0.28 }),
        ),
        ...drawn.map(({ loss, index }) =>
          Plot.line(loss.calm, { stroke: colourOf(index), strokeWidth: 1.8, strokeDasharray: dashOf(index) }),
        ),
      ],
    });
    const validations = chart({
      label: 'Validation AUPRC by step',
      x: { label: 'step', ticks: 5, tickFormat: tickOf },
      y: { label: 'AUPRC', grid: true, ticks: 5 },
      marks: measured.flatMap(({ validation, index }) => {
        const points = validation.filter(({ auprc }) => typeof auprc === 'number');
        return [
          Plot.line(points, {
            x: 'step',
            y: 'auprc',
            stroke: colourOf(index),
            strokeWidth: 1.8,
            strokeDasharray: dashOf(index),
          }),
          Plot.dot(points, { x: 'step', y: 'auprc', fill: colourOf(index), r: 3 }),
        ];
      }),
    });
    return html`${legend(curves)}${gallery([
      ...(drawn.length > 0 ? [figure('Training loss', losses, 'thin: as it was; bold: its moving average')] : []),
      ...(measured.length > 0 ? [figure('AUPRC on the rows held out', validations, 'after each epoch')] : []),
    ])}
${table(
  'Students',
  [
    { head: 'student', cell: ({ name }) => name, isText: true },
    { head: 'started from', cell: ({ record }) => textOf(record.options.student), isText: true },
    { head: 'seed', cell: ({ record }) => textOf(record.options.seed) },
    { head: 'steps', cell: ({ record }) => whole(record.steps) },
    { head: 'last AUPRC', cell: ({ validation }) => share(validation.at(-1)?.auprc) },
    { head: 'best AUPRC', cell: ({ validation }) => share(bestOf(validation)) },
    { head: 'last F1', cell: ({ validation }) => share(validation.at(-1)?.f1) },
  ],
  curves,
)}`;
  },
};

const textOf = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? value : null);

function bestOf(points: readonly ValidationPoint[]): number | null {
  const values = points.flatMap(({ auprc }) => auprc ?? []);
  return values.length === 0 ? null : Math.max(...values);
}
