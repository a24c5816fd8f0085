/** Scores of a file as a table: ordered by its heads, texts hidden until asked for, a part of the rows at a time. */
import { type Order, type ScoredRow, sorted } from '../files/scores.ts';
import { byId, element, formatCount, formatScore } from './dom.ts';
import { verdictOf, viewName } from './result.ts';

const AT_ONCE = 200; // rows drawn
const SNIPPET = 400; // characters of a text

interface Column {
  readonly title: string;
  readonly order?: Order;
  readonly isText?: boolean;
  /** Whether there is anything in it. */
  readonly isUsed?: (rows: readonly ScoredRow[]) => boolean;
}

const columns: readonly Column[] = [
  { title: 'Row', order: 'row' },
  { title: 'Id', order: 'id', isText: true, isUsed: (rows) => rows.some(({ id }) => id !== '') },
  { title: 'Score', order: 'score' },
  { title: 'Verdict', isText: true },
  {
    title: 'Category',
    order: 'category',
    isText: true,
    isUsed: (rows) => rows.some(({ answer }) => answer.category !== undefined),
  },
  { title: 'Written as', isText: true, isUsed: (rows) => rows.some(({ answer }) => answer.view !== undefined) },
];

export interface TableState {
  readonly rows: readonly ScoredRow[];
  readonly threshold: number;
  readonly hasTexts: boolean;
}

export class TableView {
  readonly #onOpen: (row: ScoredRow) => void;
  #state: TableState = { rows: [], threshold: 0.5, hasTexts: false };
  #order: Order = 'row';
  #isDescending = false;
  #most = AT_ONCE;

  /** @param onOpen called with the row that the reader wants to look at */
  constructor(onOpen: (row: ScoredRow) => void) {
    this.#onOpen = onOpen;
    byId('file-more').addEventListener('click', () => {
      this.#most += AT_ONCE;
      this.#draw();
    });
  }

  reset(): void {
    this.#order = 'row';
    this.#isDescending = false;
    this.#most = AT_ONCE;
  }

  show(state: TableState): void {
    this.#state = state;
    this.#draw();
  }

  #draw(): void {
    const { rows } = this.#state;
    const used = columns.filter(({ isUsed }) => isUsed?.(rows) ?? true);
    const ordered = sorted(rows, this.#order, this.#isDescending);
    const table = byId('file-table');
    const focused = document.activeElement?.closest('#file-table')
      ? document.activeElement.getAttribute('data-key')
      : '';
    table.querySelector('thead')!.replaceChildren(this.#head(used));
    table.querySelector('tbody')!.replaceChildren(...ordered.slice(0, this.#most).map((row) => this.#row(row, used)));
    if (focused) table.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
    byId('file-more').hidden = rows.length <= this.#most;
    byId('file-more').textContent = `Show more of ${formatCount(rows.length)} rows`;
  }

  #head(used: readonly Column[]): HTMLElement {
    const heads = used.map(({ title, order, isText }) => {
      const isOrder = order === this.#order;
      const direction = this.#isDescending ? 'down' : 'up';
      const label =
        order === undefined
          ? title
          : element(
              'button',
              { data: { key: `by-${order}`, ...(isOrder ? { direction } : {}) }, attributes: { type: 'button' } },
              title,
            );
      if (typeof label !== 'string') label.addEventListener('click', () => this.#sortBy(order!));
      const sort = isOrder ? { 'aria-sort': this.#isDescending ? 'descending' : 'ascending' } : {};
      return element('th', { className: isText ? 'text' : '', attributes: { scope: 'col', ...sort } }, label);
    });
    const text = this.#state.hasTexts
      ? [element('th', { className: 'text', attributes: { scope: 'col' } }, 'Text')]
      : [];
    return element('tr', {}, ...heads, ...text, element('td'));
  }

  #row(row: ScoredRow, used: readonly Column[]): HTMLElement {
    const { threshold, hasTexts } = this.#state;
    const { answer } = row;
    const verdict = verdictOf(answer.score, threshold);
    const fill = element('i', { className: verdict, style: { width: `${100 * answer.score}%` } });
    const cells: Readonly<Record<string, () => HTMLElement>> = {
      Row: () => element('th', { attributes: { scope: 'row' } }, formatCount(row.row)),
      Id: () => element('td', { className: 'text' }, row.id),
      Score: () =>
        element(
          'td',
          {},
          formatScore(answer.score),
          element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } }, fill),
        ),
      Verdict: () => element('td', { className: `text ${verdict}` }, verdict),
      Category: () => element('td', { className: 'text' }, answer.category ?? ''),
      'Written as': () => element('td', { className: 'text' }, answer.view === undefined ? '' : viewName(answer.view)),
    };
    const open = element(
      'button',
      { data: { key: `row-${row.row}` }, attributes: { type: 'button', 'aria-label': `Look at row ${row.row}` } },
      'Look',
    );
    open.addEventListener('click', () => this.#onOpen(row));
    const text = row.response === undefined ? row.prompt : `${row.prompt}\n→ ${row.response}`;
    return element(
      'tr',
      {},
      ...used.map(({ title }) => cells[title]!()),
      ...(hasTexts
        ? [element('td', { className: 'snippet' }, text.length > SNIPPET ? `${text.slice(0, SNIPPET)}…` : text)]
        : []),
      element('td', {}, open),
    );
  }

  #sortBy(order: Order): void {
    // scores are first wanted from the worst on
    this.#isDescending = order === this.#order ? !this.#isDescending : order === 'score';
    this.#order = order;
    this.#draw();
  }
}
