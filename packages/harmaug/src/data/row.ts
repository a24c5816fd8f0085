/** A labelled text: the one shape that every stage reads and writes. */
import { FormatError } from 'onnx-grad';

export interface Row {
  readonly id: string;
  readonly prompt: string;
  /** Absent: the prompt alone is judged. */
  readonly response?: string;
  /** 1 = unsafe */
  readonly label?: 0 | 1;
  /** p(unsafe), from a teacher. */
  readonly softLabel?: number;
  readonly source?: string;
  readonly category?: string;
}

/** A field's value before it is checked; `undefined` and `null` are absent. */
export type Fields = { readonly [Field in keyof Row]?: unknown };

/** Where a row stands, for errors, which never quote its text. */
export interface Place {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** The columns that the format expects, and those that are there: shown where a column is missing. */
  readonly columns?: string;
  readonly present?: readonly string[];
}

export const MAX_TEXT_CHARACTERS = 1_000_000;
const MAX_NAME_CHARACTERS = 1000; // ids, sources, categories

/**
 * Checks a row field by field. Without an id it gets one from its place.
 * @throws FormatError naming file, line and field
 */
export function checkRow(fields: Fields, place: Place): Row {
  const fail = (field: keyof Row, expected: string): never => {
    const { file, line, columns, present } = place;
    const name = columnNames[field] ?? field;
    const isMissing = fields[field] === undefined && columns !== undefined && present !== undefined;
    const hint = isMissing
      ? ` The format has the columns ${columns}; there are ${present.slice(0, 20).join(', ')}.`
      : '';
    const message = `${file} line ${line}: "${name}": expected ${expected}, got ${describe(fields[field])}.${hint}`;
    throw new FormatError(message, { file, field: name });
  };
  const text = (field: keyof Row, most: number): string | undefined => {
    const value = fields[field];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value.length > most) return fail(field, `a text of at most ${most} characters`);
    return value;
  };
  const prompt = text('prompt', MAX_TEXT_CHARACTERS);
  if (prompt === undefined || prompt.trim() === '') return fail('prompt', 'a text that is not empty');
  const response = text('response', MAX_TEXT_CHARACTERS);
  const { label, softLabel } = fields;
  const hasLabel = label !== undefined && label !== null;
  const hasSoftLabel = softLabel !== undefined && softLabel !== null;
  if (hasLabel && label !== 0 && label !== 1) fail('label', '0 or 1');
  if (hasSoftLabel && !(typeof softLabel === 'number' && softLabel >= 0 && softLabel <= 1)) {
    fail('softLabel', 'a probability from 0 to 1');
  }
  const [source, category] = [text('source', MAX_NAME_CHARACTERS), text('category', MAX_NAME_CHARACTERS)];
  return {
    id: text('id', MAX_NAME_CHARACTERS) ?? `${place.file}:${place.line}`,
    prompt,
    ...(response === undefined ? {} : { response }),
    ...(hasLabel ? { label: label as 0 | 1 } : {}),
    ...(hasSoftLabel ? { softLabel: softLabel as number } : {}),
    ...(source === undefined ? {} : { source }),
    ...(category === undefined ? {} : { category }),
  };
}

/** What fields are called in files, where it is another name. */
const columnNames: { readonly [Field in keyof Row]?: string } = { softLabel: 'soft_label' };

/** The kind of a value, and the value of a number or a boolean; never a text. */
function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
