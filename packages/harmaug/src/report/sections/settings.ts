/** What everything was made with: settings, versions, where results were read. */
import type { RunFolder } from '../findings.ts';
import { type Html, html, type Part } from '../html.ts';
import { masked } from '../mask.ts';
import { table } from '../table.ts';
import type { Material, Section } from './section.ts';

type Fact = readonly [name: string, value: unknown];

const MOST_CHARACTERS = 120;

/** Names and numbers as they are. Sentences may be a writer's or a row's, and wait for a click. */
export function settingCell(value: unknown): Part {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /\s/.test(text.trim()) || text.length > MOST_CHARACTERS ? masked(text, 'text') : text;
}

const factTable = (caption: string, facts: readonly Fact[]): Html | null =>
  facts.length === 0
    ? null
    : table(
        caption,
        [
          { head: 'setting', cell: ([name]) => name, isText: true },
          { head: 'value', cell: ([, value]) => settingCell(value), isText: true },
        ],
        facts,
      );

const folded = (title: string, content: Html | null): Html | null =>
  content && html`<details><summary>${title}</summary>${content}</details>`;

const recipeOf = ({ recipe }: RunFolder) => recipe ?? [];

export const settings: Section = {
  id: 'settings',
  title: 'Settings and versions',
  render({ guards, students, runs, sweeps, adaptations, nameOf }: Material) {
    const parts = [
      ...guards.map(({ name, about }) =>
        folded(`${name}: the guard`, factTable(`${name}: model and weights`, Object.entries(about))),
      ),
      ...students.map(({ name, record: { options, dataHash, steps } }) =>
        folded(
          `${nameOf(name)}: distillation`,
          factTable(`${nameOf(name)}: settings of distillation`, [
            ...Object.entries(options),
            ['dataHash', dataHash],
            ['steps', steps],
          ]),
        ),
      ),
      ...runs.map((run) =>
        folded(`${nameOf(run.name)}: recipe as resolved`, factTable(`${nameOf(run.name)}: recipe`, recipeOf(run))),
      ),
      ...sweeps.map(({ from, versions, baseline, seeds, settings: grid, recipe }) =>
        folded(
          `${nameOf(from)}: grid`,
          factTable(`${nameOf(from)}: grid and versions`, [
            ...Object.entries(versions),
            ['recipe', recipe],
            ['baseline', baseline],
            ['seeds', seeds.join(',')],
            ...grid.flatMap(({ name, values }) =>
              Object.entries(values).map(([axis, value]): Fact => [`${name}.${axis}`, value]),
            ),
          ]),
        ),
      ),
      ...adaptations.map(({ from, versions, settings: own }) =>
        folded(
          `${nameOf(from)}: adapting`,
          factTable(`${nameOf(from)}: settings and versions`, [...Object.entries(versions), ...Object.entries(own)]),
        ),
      ),
    ].filter((part) => part !== null);
    return parts.length === 0 ? null : html`${parts}`;
  },
};
