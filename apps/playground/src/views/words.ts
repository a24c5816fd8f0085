/** The text that decided the score, its words tinted by what they added, and the same as a table. */
import type { Effect, Part } from '../explain/attribution.ts';
import type { Passage } from '../explain/passage.ts';
import { byId, element, formatScore } from './dom.ts';
import { viewName } from './result.ts';

const STRONGEST = 46; // per cent of colour: ink on it keeps its contrast
const FULL_CHANGE = 1; // log-odds that get it, unless a word has more
const MOST_ROWS = 8;
const LEAST_CHANGE = 0.01; // log-odds below which nothing is said to have moved
const SNIPPET = 60; // characters of a group of words in the table

const keyOf = ({ field, begin }: Part): string => `${field} ${begin}`;

/** The passages, their parts waiting for effects. */
export class WordsView {
  readonly #spans = new Map<string, HTMLElement>();
  readonly #passages: readonly Passage[];
  #effects: readonly Effect[] = [];

  constructor(passages: readonly Passage[], parts: readonly Part[]) {
    this.#passages = passages;
    byId('passages').replaceChildren(...passages.map((passage) => this.#block(passage, parts)));
    byId('top-words').replaceChildren();
    byId('words').hidden = false;
  }

  /** Tints relative to the strongest so far. */
  add(effects: readonly Effect[]): void {
    this.#effects = [...this.#effects, ...effects];
    const most = Math.max(FULL_CHANGE, ...this.#effects.map(({ change }) => Math.abs(change)));
    for (const effect of this.#effects) {
      const span = this.#spans.get(keyOf(effect));
      if (!span) continue;
      delete span.dataset.state;
      span.dataset.towards = effect.change > 0 ? 'unsafe' : 'safe';
      span.style.setProperty('--strength', `${Math.round(STRONGEST * Math.sqrt(Math.abs(effect.change) / most))}%`);
      span.title = `${signed(effect.change)} log-odds; score without: ${formatScore(effect.score)}`;
    }
    byId('top-words').replaceChildren(this.#table(most));
  }

  /** No more effects will come. */
  stop(): void {
    for (const span of this.#spans.values()) delete span.dataset.state;
  }

  #block(passage: Passage, parts: readonly Part[]): HTMLElement {
    const { field, text, before, after, view } = passage;
    const own = parts.filter((part) => part.field === field);
    const children: (Node | string)[] = [];
    let at = 0;
    for (const part of own) {
      const span = element('span', { className: 'part', data: { state: 'waiting' } }, text.slice(part.begin, part.end));
      this.#spans.set(keyOf(part), span);
      children.push(text.slice(at, part.begin), span);
      at = part.end;
    }
    const name = [
      this.#passages.length > 1 ? (field === 'prompt' ? 'Prompt' : 'Response') : '',
      view === undefined ? '' : `decoded from ${viewName(view)}`,
    ].filter((one) => one !== '');
    return element(
      'p',
      { className: 'passage' },
      ...(name.length > 0 ? [element('small', { className: 'quiet' }, name.join(', '))] : []),
      element('span', { className: 'outside' }, before),
      ...children,
      text.slice(at),
      element('span', { className: 'outside' }, after),
    );
  }

  #table(most: number): HTMLElement {
    const top = this.#effects
      .filter(({ change }) => Math.abs(change) >= LEAST_CHANGE)
      .toSorted((one, other) => Math.abs(other.change) - Math.abs(one.change))
      .slice(0, MOST_ROWS);
    if (top.length === 0) return element('p', { className: 'quiet' }, 'No single word moves it.');
    const head = ['Word', 'Adds (log-odds)', 'Score without it'].map((title, column) =>
      element('th', { className: column === 0 ? 'text' : '', attributes: { scope: 'col' } }, title),
    );
    const rows = top.map((effect) => {
      const { change, score } = effect;
      const half = `${(50 * Math.abs(change)) / most}%`;
      const side = change > 0 ? 'left' : 'right';
      const fill = element('i', { className: change > 0 ? 'unsafe' : '', style: { width: half, [side]: '50%' } });
      const bar = element('span', { className: 'change', attributes: { 'aria-hidden': 'true' } }, fill);
      return element(
        'tr',
        {},
        element('th', { className: 'text', attributes: { scope: 'row' } }, shorten(this.#textOf(effect))),
        element('td', {}, signed(change), bar),
        element('td', {}, formatScore(score)),
      );
    });
    const table = element(
      'table',
      {},
      element('caption', {}, 'What moved it most'),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows),
    );
    return element(
      'div',
      { className: 'scroll', attributes: { tabindex: '0', role: 'region', 'aria-label': 'What moved it most' } },
      table,
    );
  }

  #textOf({ field, begin, end }: Part): string {
    return this.#passages.find((passage) => passage.field === field)!.text.slice(begin, end);
  }
}

const shorten = (text: string): string => (text.length > SNIPPET ? `${text.slice(0, SNIPPET)}…` : text);

function signed(change: number): string {
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)}`;
}
