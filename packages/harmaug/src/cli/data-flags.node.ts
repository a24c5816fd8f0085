/** Flags of commands that read data files. */
import type { ColumnMap, FormatName } from '../data/formats.ts';
import { formatNames } from '../data/formats.ts';
import type { ReadOptions } from '../data/read.node.ts';
import { type Flags, UsageError } from './flags.node.ts';

export const dataFlags = {
  format: { kind: 'text', value: '<name>', help: 'how the files’ columns are read', choices: formatNames },
  columns: {
    kind: 'texts',
    value: '<field=column>',
    help: 'columns of your own: prompt=question label=is_harmful',
  },
  limit: { kind: 'number', help: 'rows to read of all files together' },
} as const satisfies Flags;

const fields = ['id', 'prompt', 'response', 'label', 'softLabel', 'source', 'category'];

/** @throws UsageError for both a format and columns, or a field that is none */
export function readOptions(values: {
  format: string | undefined;
  columns: readonly string[] | undefined;
  limit: number | undefined;
}): ReadOptions {
  const { format, columns, limit } = values;
  if (format !== undefined && columns !== undefined) throw new UsageError('Give --format or --columns, not both.');
  const how = columns ? parseColumns(columns) : (format as FormatName | undefined);
  return { ...(how ? { format: how } : {}), ...(limit === undefined ? {} : { limit }) };
}

function parseColumns(pairs: readonly string[]): ColumnMap {
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=');
    const field = pair.slice(0, at).replace('soft_label', 'softLabel');
    if (at > 0 && at < pair.length - 1 && fields.includes(field)) return [field, pair.slice(at + 1)] as const;
    throw new UsageError(`--columns: expected <field>=<column> with a field of ${fields.join(', ')}, got "${pair}".`);
  });
  return Object.fromEntries(entries);
}
