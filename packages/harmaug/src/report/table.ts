/** Tables that scroll in their own box where a screen is narrow. */
import { type Html, html, type Part } from './html.ts';
import { NONE } from './numbers.ts';

export interface Column<Row> {
  readonly head: Part;
  readonly cell: (row: Row) => Part;
  /** Names stand to the left, numbers to the right. */
  readonly isText?: boolean;
}

/**
 * @param caption what the table is, for those who come upon it without the page
 * @param note what its reader has to know
 */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[], note?: Part): Html {
  const kind = ({ isText }: Column<Row>) => (isText ? html` class="text"` : null);
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption><span>${caption}${note === undefined ? null : html`<small>${note}</small>`}</span></caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${kind(column)}>${column.head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${columns.map((column, index) =>
        index === 0
          ? html`<th scope="row"${kind(column)}>${filled(column.cell(row))}</th>`
          : html`<td${kind(column)}>${filled(column.cell(row))}</td>`,
      )}</tr>\n`,
  )}</tbody></table></div>`;
}

const filled = (part: Part): Part => (part === null || part === undefined || part === '' ? NONE : part);

/** Counts by name, the largest first, with bars. */
export function countTable(caption: string, what: string, counts: Readonly<Record<string, number>>): Html | null {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a);
  if (entries.length === 0) return null;
  const most = Math.max(...entries.map(([, n]) => n), 1);
  return table(
    caption,
    [
      { head: what, cell: ([name]) => name, isText: true },
      { head: 'rows', cell: ([, n]) => n.toLocaleString('en') },
      {
        head: html`<span class="unseen">share of the largest</span>`,
        cell: ([, n]) =>
          html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round((1000 * n) / most) / 10}" height="10"/></svg>`,
      },
    ],
    entries,
  );
}
