/** What a cell's folder says of itself: under which key it was begun, and, written last, how it ended. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import type { Evaluation } from '../evaluate/evaluate.ts';

/** A change of what a cell's figures mean. */
const CELL_VERSION = 1;

export interface CellStart {
  readonly trainKey: string;
  /** Spent on it so far, as of the last checkpoint. */
  readonly seconds: number;
}

export interface CellEnd {
  /** Of everything that the student depends on. */
  readonly trainKey: string;
  /** Of that, and of the sets and how they were measured. */
  readonly key: string;
  readonly state: 'done' | 'failed';
  readonly seconds: number;
  /** Why it failed. */
  readonly message?: string;
  readonly evaluations: readonly Evaluation[];
}

export function cellFiles(folder: string) {
  return {
    guard: path.join(folder, 'guard'),
    start: path.join(folder, 'start.json'),
    end: path.join(folder, 'cell.json'),
    evaluation: path.join(folder, 'evaluation.json'),
    scores: (set: string) => path.join(folder, 'scores', `${set.replace(/[^\w.+=,~-]/g, '_')}.jsonl`),
  };
}

/** "sha256:…" of values that JSON can hold, in the order of their keys. */
export function keyOf(parts: unknown): string {
  const text = JSON.stringify([CELL_VERSION, parts], (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

export const readStart = (folder: string) => readJson<CellStart>(cellFiles(folder).start, ['trainKey', 'seconds']);

export const readEnd = (folder: string) =>
  readJson<CellEnd>(cellFiles(folder).end, ['trainKey', 'key', 'state', 'seconds', 'evaluations']);

/** Whole or not at all. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.part`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.part`, file);
}

/** `null` where there is none. @throws FormatError for one that is damaged */
async function readJson<T>(file: string, fields: readonly (keyof T & string)[]): Promise<T | null> {
  if (!existsSync(file)) return null;
  let value: T | null = null;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    // told below
  }
  if (typeof value === 'object' && value !== null && fields.every((field) => field in (value as object))) return value;
  throw new FormatError(`${file} is damaged. Remove its folder, and the cell is made again.`, { file });
}
