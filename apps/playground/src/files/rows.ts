/** A dropped file as texts to check: lines of .txt, records of .jsonl and .csv. Errors name lines and never quote a text. */
import { parse as parseCsv } from 'csv-parse/browser/esm/sync';

export interface TextRow {
  /** From 1, as in the file. */
  readonly row: number;
  readonly id: string;
  readonly prompt: string;
  readonly response?: string;
}

export interface TextRows {
  readonly rows: readonly TextRow[];
  /** Rows beyond the limit, which were left out. */
  readonly leftOut: number;
}

export const MOST_BYTES = 20_000_000;
export const MOST_ROWS = 5_000;
export const MOST_CHARACTERS = 100_000; // of a text, as the server's limit

/** What a file holds, from its name and content. */
export class FileError extends Error {
  override name = 'FileError';
}

/** By ending: records with the line, or number, of each. */
const readers: Readonly<Record<string, (text: string) => readonly (readonly [record: unknown, row: number])[]>> = {
  '.txt': (text) => lines(text).map(([line, row]) => [{ prompt: line }, row]),
  '.jsonl': (text) => lines(text).map(([line, row]) => [parseLine(line, row), row]),
  '.csv': readCsv,
};

const PROMPT_COLUMNS = ['prompt', 'text', 'instruction'];

/** @throws FileError for another ending, a file that is too large, or a record without a text */
export function readTextRows(name: string, text: string, mostRows = MOST_ROWS): TextRows {
  const ending = name.slice(name.lastIndexOf('.')).toLowerCase();
  const read = Object.hasOwn(readers, ending) ? readers[ending] : undefined;
  if (!read) throw new FileError(`Expected a file that ends in ${Object.keys(readers).join(', ')}.`);
  if (text.length > MOST_BYTES) throw tooLarge(text.length);
  const records = read(text.replace(/^\ufeff/, ''));
  if (records.length === 0) throw new FileError('The file has no texts.');
  const rows = records.slice(0, mostRows).map(([record, row]) => toRow(record, row));
  return { rows, leftOut: records.length - rows.length };
}

export function tooLarge(bytes: number): FileError {
  return new FileError(`The file has ${bytes} bytes, expected at most ${MOST_BYTES}.`);
}

function lines(text: string): [line: string, row: number][] {
  return text.split(/\r?\n/).flatMap((line, index) => (line.trim() === '' ? [] : [[line, index + 1]]));
}

function parseLine(line: string, row: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new FileError(`Line ${row} is not JSON.`); // the parser's own message quotes the text
  }
}

function readCsv(text: string): [unknown, number][] {
  let records: unknown[];
  try {
    records = parseCsv(text, { columns: true, skip_empty_lines: true, relax_column_count: true });
  } catch (error) {
    const { lines: line } = error as { lines?: number };
    throw new FileError(`The file is not CSV${line ? ` near line ${line}` : ''}. Is a quote left open?`);
  }
  return records.map((record, index) => [record, index + 1]);
}

function toRow(record: unknown, row: number): TextRow {
  const fields = (typeof record === 'object' && record !== null ? record : {}) as Record<string, unknown>;
  const column = PROMPT_COLUMNS.find((name) => typeof fields[name] === 'string');
  if (column === undefined) {
    throw new FileError(`Row ${row}: expected a text named ${PROMPT_COLUMNS.join(', ')}.`);
  }
  const { response, id } = fields;
  if (response !== undefined && response !== null && typeof response !== 'string') {
    throw new FileError(`Row ${row}: "response" is ${typeof response}, expected a text.`);
  }
  const prompt = fields[column] as string;
  const longest = Math.max(prompt.length, response?.length ?? 0);
  if (longest > MOST_CHARACTERS) {
    throw new FileError(`Row ${row}: a text has ${longest} characters, expected at most ${MOST_CHARACTERS}.`);
  }
  return {
    row,
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : '',
    prompt,
    ...(response ? { response } : {}),
  };
}
