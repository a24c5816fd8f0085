/** How varied a set is: measures, and its texts as points in the plane. */
import { chart, colourOf, figure, gallery, MUTED, Plot, tickOf } from '../charts/plot.ts';
import { type Html, html } from '../html.ts';
import { masked } from '../mask.ts';
import { NONE, percent, share, whole } from '../numbers.ts';
import type { MeasureResult, Plane } from '../read/measure.ts';
import { countTable, table } from '../table.ts';
import { some } from '../thin.ts';
import type { Material, Section } from './section.ts';

const MOST_POINTS = 1500;
const NAMED_CLUSTERS = 7; // further ones share a colour
const setNames = { seed: 'seed set', synthetic: 'synthetic set', together: 'both' } as const;

export const diversity: Section = {
  id: 'diversity',
  title: 'Diversity of the set',
  render({ measures, nameOf }: Material) {
    if (measures.length === 0) return null;
    const rows = measures.flatMap(({ sets, from }) =>
      (['seed', 'synthetic', 'together'] as const).map((name) => ({ from, name, ...sets[name] })),
    );
    const isOne = measures.length === 1;
    return html`${measures.map((measure) => planes(measure, isOne ? '' : `${nameOf(measure.from)}: `))}
${table(
  'How varied the texts are',
  [
    {
      head: 'set',
      cell: ({ from, name }) => (isOne ? setNames[name] : `${nameOf(from)}: ${setNames[name]}`),
      isText: true,
    },
    { head: 'texts', cell: ({ texts }) => whole(texts) },
    ...[0, 1, 2].map((at) => ({
      head: `distinct-${at + 1}`,
      cell: ({ distinct }: (typeof rows)[number]) => share(distinct[at]),
    })),
    { head: 'self-BLEU', cell: (row) => share(row.self_bleu) },
    { head: 'near-duplicates', cell: (row) => percent(row.near_duplicates) },
    { head: 'clusters', cell: ({ clusters }) => whole(clusters) },
  ],
  rows,
  'More distinct n-grams and clusters, a lower self-BLEU and fewer near-duplicates mean a more varied set. Clusters are DBSCAN’s, over embeddings of a sample.',
)}
${table(
  'How often the writer gave in',
  [
    { head: 'run', cell: ({ from }) => nameOf(from), isText: true },
    {
      head: 'prefix',
      cell: ({ attack }) => (attack.prefix === null ? 'none' : masked(attack.prefix, 'prefix')),
      isText: true,
    },
    { head: 'replies', cell: ({ attack }) => whole(attack.replies) },
    { head: 'not refused', cell: ({ attack }) => percent(attack.not_refused) },
    { head: 'judged unsafe', cell: ({ attack }) => percent(attack.judged_unsafe) },
    { head: 'success', cell: ({ attack }) => percent(attack.success) },
    { head: 'nearly repeating', cell: (row) => percent(row.candidates_nearly_repeating) },
  ],
  measures,
)}
${measures.map((measure) => labels(measure, isOne ? '' : `${nameOf(measure.from)}: `))}`;
  },
};

function planes({ plane }: MeasureResult, before: string): Html | null {
  if (plane === null || plane.points.length < 3) return null;
  const points = some(plane.points, MOST_POINTS).map(([x, y, cluster, origin]) => ({ x, y, cluster, origin }));
  const largest = largestClusters(plane);
  const clusterColour = (cluster: number) => {
    const place = largest.indexOf(cluster);
    return place < 0 ? MUTED : colourOf(place);
  };
  const note = `${whole(points.length)} texts${points.length < plane.points.length ? ` of ${whole(plane.points.length)}` : ''}`;
  const draw = (
    label: string,
    colour: (point: (typeof points)[number]) => string,
    back: (point: (typeof points)[number]) => boolean,
  ) =>
    chart({
      label,
      height: 330,
      marginLeft: 12,
      marginBottom: 22,
      marginTop: 10,
      x: { axis: null },
      y: { axis: null },
      marks: [
        Plot.dot(points.filter(back), { x: 'x', y: 'y', r: 2.3, fill: colour, fillOpacity: 0.45 }),
        Plot.dot(
          points.filter((point) => !back(point)),
          { x: 'x', y: 'y', r: 2.6, fill: colour, fillOpacity: 0.75 },
        ),
      ],
    });
  const explained = plane.explained.reduce((a, b) => a + b, 0);
  const origins = html`<ul class="legend">${(['synthetic', 'seed'] as const).map(
    (origin, index) =>
      html`<li><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="5" fill="${colourOf(index)}"/></svg>${origin}</li>`,
  )}</ul>`;
  const byCluster = draw(
    'Texts in the plane, coloured by cluster',
    ({ cluster }) => clusterColour(cluster),
    ({ cluster }) => !largest.includes(cluster),
  );
  const byOrigin = draw(
    'Texts in the plane, coloured by origin',
    ({ origin }) => (origin === 'seed' ? colourOf(1) : colourOf(0)),
    ({ origin }) => origin === 'synthetic',
  );
  return html`<p>Each point is a text; texts of near meaning lie near each other. The plane is the two directions in which the texts’ embeddings
differ most, and holds ${percent(explained, 0)} of their variance: what looks close here may lie apart in the others.</p>
${gallery([
  figure(`${before}clusters`, byCluster, `${note}; the ${largest.length} largest clusters in colour, other texts grey`),
  figure(`${before}origin`, html`${byOrigin}${origins}`, note),
])}`;
}

function largestClusters({ points }: Plane): number[] {
  const sizes = new Map<number, number>();
  for (const [, , cluster] of points) if (cluster >= 0) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  return [...sizes]
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED_CLUSTERS)
    .map(([cluster]) => cluster);
}

function labels({ categories, score_histogram }: MeasureResult, before: string): Html {
  const bins = score_histogram.map((count, bin) => ({
    from: bin / score_histogram.length,
    to: (bin + 1) / score_histogram.length,
    count,
  }));
  const isLabelled = score_histogram.some((count) => count > 0);
  return html`${
    isLabelled
      ? gallery([
          figure(
            `${before}what the teacher said`,
            chart({
              label: 'Labelled rows by the teacher’s p(unsafe)',
              height: 190,
              marginLeft: 52,
              x: { label: 'teacher’s p(unsafe)', domain: [0, 1], ticks: 5 },
              y: { label: 'rows', ticks: 4, grid: true, tickFormat: tickOf },
              marks: [
                Plot.rect(bins, { x1: 'from', x2: 'to', y1: 0, y2: 'count', fill: colourOf(0), inset: 0.6 }),
                Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.5 }),
              ],
            }),
          ),
        ])
      : html`<p class="about">${before}not labelled yet: ${NONE}</p>`
  }
${countTable(before === '' ? 'Instructions by category' : `${before}instructions by category`, 'category', categories)}`;
}
