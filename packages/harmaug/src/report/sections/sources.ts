/** What runs and students are made of: sizes, origins, why rows were left out, what calls took. */
import { reasons } from '../../stages/reasons.ts';
import type { From, RunFolder } from '../findings.ts';
import { type Html, html } from '../html.ts';
import { NONE, percent, short, whole } from '../numbers.ts';
import { countTable, table } from '../table.ts';
import type { Material, Section } from './section.ts';

export const sources: Section = {
  id: 'data',
  title: 'Data: sizes and sources',
  render({ runs, students, nameOf }: Material) {
    const cards = students.filter(({ card }) => card.length > 0);
    if (runs.length === 0 && cards.length === 0) return null;
    return html`${runs.map((run) => runPart(run, nameOf(run.name)))}
${
  cards.length === 0
    ? null
    : table(
        'What students learned from',
        [
          { head: 'student', cell: ({ name }) => nameOf(name), isText: true },
          ...shownLines
            .filter((line) => cards.some(({ card }) => card.some(([name]) => name === line)))
            .map((line) => ({
              head: line.toLowerCase(),
              cell: ({ card }: (typeof cards)[number]) => card.find(([name]) => name === line)?.[1] ?? null,
              isText: true,
            })),
        ],
        cards,
      )
}`;
  },
};

const shownLines = ['Rows', 'Files', 'Teacher', 'Disguised copies of the rows', 'Cut to the length limit'];

function runPart(run: From<RunFolder>, name: string): Html {
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
  const stages = [
    { stage: 'instructions', made: sum(run.instructions), kept: run.instructions.kept ?? 0 },
    { stage: 'pairs', made: sum(run.responses), kept: run.responses.kept ?? 0 },
    { stage: 'labels', made: run.labelled + sum(run.unlabelled), kept: run.labelled },
  ];
  const leftOut = Object.entries(run.instructions).filter(([state]) => state !== 'kept' && state !== 'spare');
  const ofResponses = Object.entries(run.responses).filter(([state]) => state !== 'kept');
  const why = (entries: readonly (readonly [string, number])[]) =>
    Object.fromEntries(entries.map(([reason, n]) => [reasons[reason as keyof typeof reasons] ?? reason, n]));
  return html`<h3>${name}</h3>
${table(
  'Rows by stage',
  [
    { head: 'stage', cell: ({ stage }) => stage, isText: true },
    { head: 'made', cell: ({ made }) => whole(made) },
    { head: 'in the set', cell: ({ kept }) => whole(kept) },
    { head: 'share', cell: ({ made, kept }) => (made === 0 ? NONE : percent(kept / made)) },
  ],
  stages,
)}
<div class="columns">
${countTable('Why instructions were left out', 'reason', why(leftOut))}
${countTable('Why responses were left out', 'reason', why(ofResponses))}
${countTable('Why pairs have no label', 'reason', run.unlabelled)}
</div>
${sourceTable(run)}
${
  run.calls.length === 0
    ? null
    : table(
        'Calls of models',
        [
          { head: 'stage', cell: ({ stage }) => stage, isText: true },
          { head: 'model', cell: ({ model }) => model, isText: true },
          { head: 'calls', cell: ({ calls }) => whole(calls) },
          { head: 'tokens read', cell: ({ promptTokens }) => whole(promptTokens) },
          { head: 'tokens written', cell: ({ completionTokens }) => whole(completionTokens) },
          { head: 'cost', cell: ({ cost }) => short(cost) },
        ],
        run.calls,
      )
}`;
}

/** Where the rows of the set come from, by every name that they have. */
function sourceTable({ sources: all }: RunFolder): Html {
  const rows = all.flatMap(({ what, counts }) =>
    Object.entries(counts).map(([name, count]) => ({ what, name, count })),
  );
  return table(
    'Rows of the set by where they come from',
    [
      { head: 'by', cell: ({ what }) => what, isText: true },
      { head: 'name', cell: ({ name }) => name, isText: true },
      { head: 'rows', cell: ({ count }) => whole(count) },
    ],
    rows,
  );
}
