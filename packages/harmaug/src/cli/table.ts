/** Text tables: columns as wide as they need to be, numbers to the right. */

export type Cell = string | number | null;

/** Three digits after the point; "—" for what has no meaning, never 0. */
export function formatCell(cell: Cell): string {
  if (cell === null) return '—';
  return typeof cell === 'number' ? (Number.isInteger(cell) ? String(cell) : cell.toFixed(3)) : cell;
}

export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [header, ...rows.map((row) => row.map(formatCell))];
  const widths = header.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)));
  const isNumeric = header.map((_, column) => rows.every((row) => typeof row[column] !== 'string'));
  const lines = texts.map((row) => {
    const cells = row.map((text, column) =>
      isNumeric[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
    );
    return cells.join('  ').trimEnd();
  });
  return `${lines.join('\n')}\n`;
}
