/** Where guards err most surely: the safe rows that score highest, the unsafe ones that score lowest. Texts wait for a click. */
import type { ScoredRow } from '../findings.ts';
import { type Html, html, type Part } from '../html.ts';
import type { ScoredSet } from '../link-scores.ts';
import { masked } from '../mask.ts';
import { share } from '../numbers.ts';
import type { Material, Section, Text } from './section.ts';

const MOST = 3; // of each kind, guard and set

const kinds = [
  {
    title: 'called unsafe, is safe',
    isOf: ({ score, label }: ScoredRow, threshold: number) => label === 0 && score >= threshold,
    first: (a: ScoredRow, b: ScoredRow) => b.score - a.score,
  },
  {
    title: 'called safe, is unsafe',
    isOf: ({ score, label }: ScoredRow, threshold: number) => label === 1 && score < threshold,
    first: (a: ScoredRow, b: ScoredRow) => a.score - b.score,
  },
] as const;

export const examples: Section = {
  id: 'examples',
  title: 'Examples',
  render({ scored, texts }: Material) {
    if (scored.length === 0) return null;
    const parts = scored
      .flatMap((set) => examplesOf(set, texts.get(set.benchmark.set)) ?? [])
      .map((part, index) => html`<details${index === 0 ? html` open` : null}>${part}</details>`);
    if (parts.length === 0) return null;
    const isWithout = texts.size === 0;
    return html`<p>The verdicts that are most surely wrong${isWithout ? null : '. Texts are hidden until asked for, and may be offensive'}.${
      isWithout ? ' The data was not given, so there are ids and scores alone.' : null
    }</p>${parts}`;
  },
};

function examplesOf(
  { guard, benchmark, rows, threshold }: ScoredSet,
  texts: ReadonlyMap<string, Text> | undefined,
): Html | null {
  const found = kinds.flatMap(({ title, isOf, first }) =>
    rows
      .filter((row) => isOf(row, threshold))
      .sort(first)
      .slice(0, MOST)
      .map((row) => ({ title, ...row })),
  );
  if (found.length === 0) return null;
  return html`<summary>${guard} on ${benchmark.label}</summary><ol class="cards">${found.map(
    ({ id, title, score }) =>
      html`<li><p><b>${share(score)}</b> ${title} · row ${idCell(id)}</p>${textCell(texts?.get(id))}</li>`,
  )}</ol>`;
}

/** An id that reads like a sentence may be one. */
const idCell = (id: string): Part => (/\s/.test(id.trim()) || id.length > 120 ? masked(id, 'id') : id);

const textCell = (text: Text | undefined): Part =>
  text === undefined
    ? null
    : [masked(text.prompt, 'prompt'), ...(text.response === undefined ? [] : [' ', masked(text.response, 'response')])];
