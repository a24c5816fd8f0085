/** Files of labelled texts as rows: JSONL, JSON, CSV and Parquet, each also as .gz. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse as parseCsv } from 'csv-parse';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ConfigError, FormatError } from 'onnx-grad';
import {
  type ColumnMap,
  type DataRecord,
  type Format,
  type FormatName,
  formatNames,
  formats,
  mappedFormat,
} from './formats.ts';
import { checkRow, type Row } from './row.ts';

export interface ReadOptions {
  /** How columns become fields: a public set by name, or a map of columns. Default: our own contract. */
  readonly format?: FormatName | ColumnMap;
  /** Rows after which reading stops. */
  readonly limit?: number;
  /** Why a record is not wanted, from its columns as they are; `null` for one that is. */
  readonly leaveOut?: (record: DataRecord) => string | null;
}

export interface ReadRows {
  readonly rows: Row[];
  /** Records left out, by reason. */
  readonly skipped: ReadonlyMap<string, number>;
}

const MAX_RECORD_BYTES = 16_000_000; // one line, or one record of CSV
const MAX_JSON_BYTES = 512_000_000; // one file that has to be in memory as a whole

/** Records of a file with the line, or number, of each, from 1. */
type Reader = (file: string, isZipped: boolean) => AsyncIterable<readonly [record: unknown, line: number]>;

const readers: Readonly<Record<string, Reader>> = {
  '.jsonl': readJsonLines,
  '.json': readJsonList,
  '.csv': readCsv,
  '.parquet': readParquet,
};

/**
 * Reads every row of the files, in order. An error names the file, the line and the field, and never quotes a text.
 * @throws ConfigError for an unknown format or ending; FormatError for a row that is not what the format says
 */
export async function readRows(files: readonly string[], options: ReadOptions = {}): Promise<ReadRows> {
  const rows: Row[] = [];
  const skipped = new Map<string, number>();
  for await (const row of streamRows(files, options, skipped)) rows.push(row);
  return { rows, skipped };
}

/**
 * The same row by row, in bounded memory where the format allows it (JSONL, CSV).
 * @param skipped takes the counts of records that are left out, by reason
 */
export async function* streamRows(
  files: readonly string[],
  { format = 'harmaug', limit = Number.POSITIVE_INFINITY, leaveOut }: ReadOptions = {},
  skipped: Map<string, number> = new Map(),
): AsyncGenerator<Row> {
  const { columns, read } = resolveFormat(format);
  let count = 0;
  for (const file of files) {
    const isZipped = file.endsWith('.gz');
    const ending = path.extname(isZipped ? file.slice(0, -'.gz'.length) : file);
    const reader = readers[ending];
    if (!reader) {
      throw new ConfigError(
        `${file}: cannot tell what it is by its ending. Expected ${Object.keys(readers).join(', ')}, or one of these with .gz.`,
      );
    }
    for await (const [record, line] of reader(file, isZipped)) {
      if (count >= limit) break;
      if (typeof record !== 'object' || record === null || Array.isArray(record)) {
        throw new FormatError(`${file} line ${line}: expected an object with ${columns}.`, { file });
      }
      const unwanted = leaveOut?.(record as DataRecord) ?? null;
      const found = unwanted === null ? read(record as DataRecord) : { skip: unwanted };
      if ('skip' in found) skipped.set(found.skip, (skipped.get(found.skip) ?? 0) + 1);
      else {
        count += 1;
        yield checkRow(found, { file: path.basename(file), line, columns, present: Object.keys(record) });
      }
    }
  }
}

function resolveFormat(format: FormatName | ColumnMap): Format {
  if (typeof format !== 'string') return mappedFormat(format);
  const known: Format | undefined = formats[format];
  if (known) return known;
  throw new ConfigError(`Unknown data format "${format}". Available: ${formatNames.join(', ')}.`);
}

function byteStream(file: string, isZipped: boolean): Readable {
  const stream = createReadStream(file);
  return isZipped ? stream.pipe(createGunzip()) : stream;
}

async function* readJsonLines(file: string, isZipped: boolean): AsyncGenerator<[unknown, number]> {
  for await (const [line, number] of textLines(file, isZipped)) {
    if (line.trim() === '') continue;
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (cause) {
      // the parser's own message quotes the text
      throw new FormatError(`${file} line ${number} is not JSON.`, { file, cause: (cause as Error).name });
    }
    yield [record, number];
  }
}

const NEWLINE = 10;

/** Lines with their numbers from 1, their ends included. @throws FormatError naming the line that is not UTF-8 */
async function* textLines(file: string, isZipped: boolean): AsyncGenerator<[string, number]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Uint8Array[] = []; // of a line that is not whole yet
  let restBytes = 0;
  let number = 0;
  const take = (part: Uint8Array): string => {
    number += 1;
    const bytes = rest.length === 0 ? part : Buffer.concat([...rest, part]);
    rest = [];
    restBytes = 0;
    try {
      const line = decoder.decode(bytes);
      return number === 1 && line.startsWith('\ufeff') ? line.slice(1) : line;
    } catch (cause) {
      throw new FormatError(`${file} line ${number} is not UTF-8.`, { file, cause });
    }
  };
  try {
    for await (const chunk of byteStream(file, isZipped)) {
      const bytes = chunk as Uint8Array;
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        yield [take(bytes.subarray(from, at + 1)), number];
        from = at + 1;
      }
      if (from < bytes.length) rest.push(bytes.subarray(from));
      restBytes += bytes.length - from;
      if (restBytes > MAX_RECORD_BYTES) {
        throw new FormatError(`${file} line ${number + 1} is longer than ${MAX_RECORD_BYTES} bytes.`, { file });
      }
    }
  } catch (cause) {
    throw asFormatError(cause, file);
  }
  if (restBytes > 0) yield [take(new Uint8Array(0)), number];
}

async function* readJsonList(file: string, isZipped: boolean): AsyncGenerator<[unknown, number]> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let list: unknown;
  try {
    for await (const chunk of byteStream(file, isZipped)) {
      size += (chunk as Uint8Array).length;
      if (size > MAX_JSON_BYTES)
        throw new FormatError(`${file} has over ${MAX_JSON_BYTES} bytes. Give it as JSONL.`, { file });
      chunks.push(chunk as Uint8Array);
    }
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw asFormatError(cause, file);
  }
  if (!Array.isArray(list)) throw new FormatError(`${file}: expected a list of objects.`, { file });
  for (const [index, record] of list.entries()) yield [record, index + 1];
}

async function* readCsv(file: string, isZipped: boolean): AsyncGenerator<[unknown, number]> {
  const parser = parseCsv({
    columns: true,
    bom: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
  });
  const source = Readable.from(linesOf(file, isZipped));
  source.once('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of source.pipe(parser)) yield [record, info.lines];
  } catch (cause) {
    throw asFormatError(cause, file);
  }
}

async function* linesOf(file: string, isZipped: boolean): AsyncGenerator<string> {
  for await (const [line] of textLines(file, isZipped)) yield line;
}

async function* readParquet(file: string, isZipped: boolean): AsyncGenerator<[unknown, number]> {
  if (isZipped) throw new ConfigError(`${file}: Parquet is compressed inside. Unzip the file first.`);
  let records: Record<string, unknown>[];
  const handle = await open(file, 'r').catch((cause) => {
    throw asFormatError(cause, file);
  });
  try {
    const { size } = await handle.stat();
    const slice = async (start: number, end = size) => {
      const { buffer, bytesRead } = await handle.read({ buffer: new Uint8Array(end - start), position: start });
      return buffer.buffer.slice(0, bytesRead) as ArrayBuffer;
    };
    records = await parquetReadObjects({ file: { byteLength: size, slice }, compressors });
  } catch (cause) {
    throw asFormatError(cause, file);
  } finally {
    await handle.close();
  }
  for (const [index, record] of records.entries()) {
    yield [Object.fromEntries(Object.entries(record).map(([name, value]) => [name, plainNumber(value)])), index + 1];
  }
}

/** Parquet's whole numbers come as bigint. */
function plainNumber(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function asFormatError(cause: unknown, file: string): Error {
  if (cause instanceof FormatError || cause instanceof ConfigError) return cause;
  const { code, name } = cause as { code?: string; name?: string };
  if (code === 'ENOENT') return new FormatError(`${file} does not exist.`, { file, cause });
  const reason = code ?? name ?? 'unknown';
  return new FormatError(`${file} cannot be read: it is damaged, or not what its ending says (${reason}).`, { file });
}
