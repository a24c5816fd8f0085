/** A run folder: what each stage made, why rows were left out, and the recipe as resolved. No text of a row is read. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import { parse } from 'yaml';
import { Ledger } from '../../ledger/ledger.node.ts';
import { countsOf } from '../../ledger/sets.node.ts';
import type { Counts, From, RunFolder } from '../findings.ts';

export const isRun = (folder: string): boolean => existsSync(path.join(folder, 'ledger.sqlite'));

const MOST_NAMES = 40; // of a table of sources

const sourceQueries: readonly (readonly [what: string, sql: string])[] = [
  [
    'origin of instructions',
    "SELECT origin AS name, count(*) AS n FROM instructions WHERE position IS NOT NULL AND state = 'kept' GROUP BY 1",
  ],
  [
    'asked for',
    "SELECT kind AS name, count(*) AS n FROM instructions WHERE position IS NOT NULL AND state = 'kept' GROUP BY 1",
  ],
  [
    'category',
    "SELECT coalesce(category, 'none') AS name, count(*) AS n FROM instructions WHERE position IS NOT NULL AND state = 'kept' GROUP BY 1",
  ],
  [
    'generator',
    "SELECT coalesce(model, 'imported') AS name, count(*) AS n FROM instructions WHERE position IS NOT NULL AND state = 'kept' GROUP BY 1",
  ],
  [
    'response',
    "SELECT response_kind AS name, count(*) AS n FROM pairs WHERE position IS NOT NULL AND state = 'kept' GROUP BY 1",
  ],
  [
    'responder',
    "SELECT model AS name, count(*) AS n FROM pairs WHERE position IS NOT NULL AND state = 'kept' AND model IS NOT NULL GROUP BY 1",
  ],
  [
    'teacher',
    'SELECT teacher AS name, count(*) AS n FROM labels WHERE position IS NOT NULL AND soft_label IS NOT NULL GROUP BY 1',
  ],
];

/** @throws LedgerError for a ledger that cannot be read; FormatError for a recipe that is not YAML */
export function readRun(folder: string): From<RunFolder> {
  const ledger = Ledger.openToRead(folder);
  try {
    const counted = (sql: string): Counts =>
      Object.fromEntries(
        ledger.all(`${sql} ORDER BY n DESC LIMIT ${MOST_NAMES}`).map(({ name, n }) => [String(name), Number(n)]),
      );
    const calls = ledger.all(
      `SELECT stage, model, count(*) AS calls, sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion,
         CASE WHEN count(cost) = count(*) THEN sum(cost) END AS cost FROM calls GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    return {
      name: folder,
      instructions: countsOf(ledger, 'instructions'),
      responses: countsOf(ledger, 'pairs'),
      labelled: Number(
        ledger.get('SELECT count(*) AS n FROM labels WHERE position IS NOT NULL AND soft_label IS NOT NULL')!.n,
      ),
      unlabelled: counted(
        'SELECT reason AS name, count(*) AS n FROM labels WHERE position IS NOT NULL AND soft_label IS NULL GROUP BY 1',
      ),
      sources: sourceQueries.map(([what, sql]) => ({ what, counts: counted(sql) })),
      calls: calls.map((row) => ({
        stage: String(row.stage),
        model: String(row.model),
        calls: Number(row.calls),
        promptTokens: Number(row.prompt),
        completionTokens: Number(row.completion),
        cost: row.cost === null ? null : Number(row.cost),
      })),
      recipe: recipeOf(path.join(folder, 'recipe.yaml')),
      from: folder,
    };
  } finally {
    ledger.close();
  }
}

function recipeOf(file: string): RunFolder['recipe'] {
  if (!existsSync(file)) return null;
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'), { maxAliasCount: 100 });
  } catch (cause) {
    throw new FormatError(`${file} is not YAML.`, { file, cause });
  }
  return leavesOf(value);
}

type Leaf = readonly [path: string, value: string | number | boolean | null];

/** "generate.temperature" -> 1. */
export function leavesOf(value: unknown, place = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [[place, (value ?? null) as Leaf[1]]];
  if (Array.isArray(value)) return value.flatMap((one, index) => leavesOf(one, `${place}[${index}]`));
  return Object.entries(value).flatMap(([key, one]) => leavesOf(one, place === '' ? key : `${place}.${key}`));
}
