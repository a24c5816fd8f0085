/** Scores of a file's rows: ordered, counted, and as files to take away, which hold no text. */
import type { GuardAnswer } from '@harmaug/guard';
import type { TextRow } from './rows.ts';

export interface ScoredRow extends TextRow {
  readonly answer: GuardAnswer;
}

/** What a table can be ordered by. */
export const orders = {
  row: (one: ScoredRow, other: ScoredRow) => one.row - other.row,
  id: (one: ScoredRow, other: ScoredRow) => one.id.localeCompare(other.id, undefined, { numeric: true }),
  score: (one: ScoredRow, other: ScoredRow) => one.answer.score - other.answer.score,
  category: (one: ScoredRow, other: ScoredRow) =>
    (one.answer.category ?? '').localeCompare(other.answer.category ?? ''),
} as const;

export type Order = keyof typeof orders;

/** Equal ones stay in the order of the file. */
export function sorted(rows: readonly ScoredRow[], order: Order, isDescending: boolean): ScoredRow[] {
  const compare = orders[order];
  return rows.toSorted((one, other) => (isDescending ? compare(other, one) : compare(one, other)));
}

export function countUnsafe(rows: readonly ScoredRow[], threshold: number): number {
  return rows.filter(({ answer }) => answer.score >= threshold).length;
}

/** As they are exported: one record a row. */
function recordOf({ row, id, answer: { score, category, view, windows } }: ScoredRow, threshold: number) {
  const verdict = score >= threshold ? 'unsafe' : 'safe';
  return { row, id, score, verdict, threshold, category: category ?? '', view: view ?? '', windows };
}

/** File contents by ending. */
export const exports: Readonly<Record<'csv' | 'jsonl', (rows: readonly ScoredRow[], threshold: number) => string>> = {
  csv(rows, threshold) {
    const records = rows.map((row) => recordOf(row, threshold));
    const header = Object.keys(recordOf(rows[0]!, threshold)).join(',');
    return `${[header, ...records.map((record) => Object.values(record).map(quote).join(','))].join('\n')}\n`;
  },
  jsonl: (rows, threshold) => rows.map((row) => `${JSON.stringify(recordOf(row, threshold))}\n`).join(''),
};

function quote(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
