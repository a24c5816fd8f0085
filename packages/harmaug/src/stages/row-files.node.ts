/** Rows written as JSONL or Parquet, in bounded memory. A file is written aside and renamed; its owner alone may read it. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { ConfigError, FormatError } from 'onnx-grad';
import type { Column } from './dataset-columns.ts';

type Value = string | number | boolean | null;

export interface RowFile {
  readonly file: string;
  add(row: Readonly<Record<string, Value>>): void;
  /** Puts the file in its place. */
  finish(): void;
  /** Takes away what was written. */
  discard(): void;
}

const PRIVATE = 0o600;
const JSONL_BATCH_CHARACTERS = 1 << 20;
const ROWS_OF_A_GROUP = 20_000;

/** By the ending of its name. @throws ConfigError for another ending; FormatError where it cannot be written */
export function createRowFile(file: string, columns: readonly Column[]): RowFile {
  const ending = path.extname(file);
  const create = creators[ending];
  if (create === undefined)
    throw new ConfigError(`${file}: expected an ending of ${Object.keys(creators).join(' or ')}.`);
  const part = `${file}.part`;
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      throw new FormatError(`${file} cannot be written (${(cause as { code?: string }).code ?? 'unknown'}).`, {
        file,
        cause,
      });
    }
  };
  const rows = guarded(() => create(part, columns));
  return {
    file,
    add: (row) => guarded(() => rows.add(row)),
    finish: () =>
      guarded(() => {
        rows.end();
        renameSync(part, file);
      }),
    discard: () => {
      rows.abandon();
      rmSync(part, { force: true });
    },
  };
}

interface Rows {
  add(row: Readonly<Record<string, Value>>): void;
  end(): void;
  abandon(): void;
}

const creators: Readonly<Record<string, (file: string, columns: readonly Column[]) => Rows>> = {
  '.jsonl': (file) => {
    const handle = openSync(file, 'w', PRIVATE);
    let waiting = '';
    const flush = () => {
      writeSync(handle, waiting);
      waiting = '';
    };
    return {
      add(row) {
        const present = Object.entries(row).filter(([, value]) => value !== null);
        waiting += `${JSON.stringify(Object.fromEntries(present))}\n`;
        if (waiting.length >= JSONL_BATCH_CHARACTERS) flush();
      },
      end() {
        flush();
        closeSync(handle);
      },
      abandon: () => closeSync(handle),
    };
  },

  '.parquet': (file, columns) => {
    closeSync(openSync(file, 'w', PRIVATE)); // the library keeps the permissions of a file that is there
    const empty = columns.map(({ name, type }) => ({ name, type, data: [] }));
    const writer = new ParquetWriter({
      writer: fileWriter(file),
      schema: schemaFromColumnData({ columnData: empty }),
      createdBy: 'harmaug',
    });
    let data: Value[][] = columns.map(() => []);
    const flush = () => {
      const columnData = columns.map(({ name, type }, index) => ({ name, type, data: data[index]! }));
      if (data[0]!.length > 0) void writer.write({ columnData, rowGroupSize: ROWS_OF_A_GROUP }); // to a file it is synchronous
      data = columns.map(() => []);
    };
    return {
      add(row) {
        for (const [index, { name }] of columns.entries()) data[index]!.push(row[name] ?? null);
        if (data[0]!.length >= ROWS_OF_A_GROUP) flush();
      },
      end() {
        flush();
        void writer.finish();
      },
      abandon() {},
    };
  },
};
