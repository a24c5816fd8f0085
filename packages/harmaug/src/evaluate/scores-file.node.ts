/** Scores of rows as JSONL, `{ id, score, margin?, label }`: written after an evaluation, read to compare or to evaluate anew. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import type { Score } from '../scoring/scorer.ts';

export interface ScoredRow extends Score {
  readonly id: string;
  readonly label: 0 | 1;
}

const MAX_FILE_BYTES = 1_000_000_000;

export async function writeScores(file: string, rows: readonly ScoredRow[]): Promise<void> {
  const lines = rows.map(({ id, score, margin, label }) => `${JSON.stringify({ id, score, margin, label })}\n`);
  await writeFile(`${file}.part`, lines.join(''));
  await rename(`${file}.part`, file);
}

/** @throws FormatError naming the line and the field; an id that comes twice is one */
export async function readScores(file: string): Promise<ScoredRow[]> {
  const bytes = await readFile(file).catch((cause) => {
    throw new FormatError(`${file} cannot be read (${(cause as { code?: string }).code}).`, { file, cause });
  });
  if (bytes.length > MAX_FILE_BYTES) throw new FormatError(`${file} has over ${MAX_FILE_BYTES} bytes.`, { file });
  const seen = new Set<string>();
  return bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, index + 1)]));

  function parseLine(line: string, number: number): ScoredRow {
    const fail = (field: string, expected: string): never => {
      throw new FormatError(`${file} line ${number}: "${field}": expected ${expected}.`, { file, field });
    };
    let row: Partial<ScoredRow>;
    try {
      row = JSON.parse(line);
    } catch {
      throw new FormatError(`${file} line ${number} is not JSON.`, { file });
    }
    const { id, score, margin, label } = row;
    if (typeof id !== 'string') return fail('id', 'a text');
    if (seen.has(id)) return fail('id', 'one that came in no earlier line');
    seen.add(id);
    if (typeof score !== 'number' || Number.isNaN(score)) return fail('score', 'a number');
    if (label !== 0 && label !== 1) return fail('label', '0 or 1');
    return { id, score, label, ...(typeof margin === 'number' ? { margin } : {}) };
  }
}
