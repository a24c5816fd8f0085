/** A guard before and after it learned a new attack, on that attack and on what it knew. */
import { chart, colourOf, figure, gallery, MUTED, marginFor, nameAxis, Plot } from '../charts/plot.ts';
import type { From } from '../findings.ts';
import { type Html, html } from '../html.ts';
import { NONE, share, signed, whole } from '../numbers.ts';
import type { AdaptResult } from '../read/adapt.ts';
import { figureOf } from '../read/fields.ts';
import { table } from '../table.ts';
import type { Material, Section } from './section.ts';

const metrics = [
  ['auprc', 'AUPRC'],
  ['f1', 'F1'],
  ['fpr', 'FPR'],
] as const;
const groupNames = { attacked: 'under attack', plain: 'as before' } as const;

export const adapt: Section = {
  id: 'adapt',
  title: 'Adapting to an attack',
  render: ({ adaptations, nameOf }: Material) =>
    adaptations.length === 0 ? null : html`${adaptations.map((one) => adaptPart(one, nameOf(one.guard)))}`,
};

function adaptPart(one: From<AdaptResult>, guard: string): Html {
  const transform = typeof one.transform === 'string' ? one.transform : JSON.stringify(one.transform ?? NONE);
  const rows = one.sets.map((set) => ({
    label: `${set.name}${set.group === 'attacked' ? '*' : ''}`,
    ...{ set, before: figureOf(set.before, 'auprc').value, after: figureOf(set.after, 'auprc').value },
  }));
  const drawn = rows.filter(({ before, after }) => before !== null && after !== null);
  const names = marginFor(drawn.map(({ label }) => label));
  const means = (['attacked', 'plain'] as const).map((group) => {
    const own = drawn.filter(({ set }) => set.group === group);
    const mean = (side: 'before' | 'after') =>
      own.length === 0 ? null : own.reduce((sum, row) => sum + row[side]!, 0) / own.length;
    return { group, before: mean('before'), after: mean('after'), sets: own.length };
  });
  return html`<h3>${guard}: ${transform}</h3>
${table(
  'Mean AUPRC',
  [
    { head: 'sets', cell: ({ group }) => groupNames[group], isText: true },
    { head: 'how many', cell: ({ sets }) => whole(sets) },
    { head: 'before', cell: ({ before }) => share(before) },
    { head: 'after', cell: ({ after }) => share(after) },
    {
      head: 'change',
      cell: ({ before, after }) => (before === null || after === null ? NONE : signed(after - before)),
    },
  ],
  means,
)}
${
  drawn.length === 0
    ? null
    : html`<ul class="legend"><li><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4" fill="none" stroke="${MUTED}" stroke-width="2"/></svg>before</li><li><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="5" fill="${colourOf(0)}"/></svg>after</li><li>* under attack</li></ul>
${gallery([
  figure(
    'AUPRC before and after',
    chart({
      label: 'AUPRC of each set before and after adapting',
      height: 52 + 24 * drawn.length,
      marginLeft: names,
      x: { label: null, domain: [0, 1], grid: true, ticks: 5 },
      y: { label: null, domain: drawn.map(({ label }) => label) },
      marks: [
        nameAxis(names),
        Plot.ruleY(drawn, {
          y: 'label',
          x1: 'before',
          x2: 'after',
          stroke: colourOf(0),
          strokeWidth: 2,
          strokeOpacity: 0.5,
        }),
        Plot.dot(drawn, { y: 'label', x: 'before', r: 3.6, stroke: MUTED, strokeWidth: 2, fill: 'var(--paper)' }),
        Plot.dot(drawn, { y: 'label', x: 'after', r: 4.4, fill: colourOf(0) }),
      ],
    }),
  ),
])}`
}
${table(
  'Every set before and after',
  [
    { head: 'set', cell: ({ name }) => name, isText: true },
    { head: 'texts', cell: ({ group }) => groupNames[group], isText: true },
    { head: 'rows', cell: (set) => whole(set.rows) },
    { head: 'unsafe', cell: ({ unsafe }) => whole(unsafe) },
    ...metrics.flatMap(([metric, title]) => [
      {
        head: `${title} before`,
        cell: ({ before }: (typeof one.sets)[number]) => share(figureOf(before, metric).value),
      },
      { head: 'after', cell: ({ after }: (typeof one.sets)[number]) => share(figureOf(after, metric).value) },
    ]),
  ],
  one.sets,
)}`;
}
