/** From labelled rows to what a run trains on: encoded texts with their targets, split. */
import { createHash } from 'node:crypto';
import type { EncodedArrays, TextOrPair } from '@harmaug/models';
import { TokenizerPool } from '@harmaug/models/node';
import { ConfigError, IGNORED_LABEL } from 'onnx-grad';
import { encodePromptHashes } from '../data/prompt-hashes.node.ts';
import type { Row } from '../data/row.ts';
import type { DistillSettings } from './settings.ts';
import { type Split, splitByPrompt } from './split.ts';
import { type Target, targetOf } from './targets.ts';

export interface DistillData {
  readonly encoded: readonly EncodedArrays[];
  readonly lengths: readonly number[];
  readonly targets: readonly Target[];
  readonly isSynthetic: readonly boolean[];
  /** Names of the categories that rows have, in order; none where `categoryWeight` is 0. */
  readonly categoryNames: readonly string[];
  /** Place of a row's category among the names, -100 for none. */
  readonly categories: readonly number[];
  readonly split: Split;
  /** Rows that were cut to `maxLength`. */
  readonly truncated: number;
  /** "sha256:…" of every row that is learned from, in order. */
  readonly hash: string;
  /** Of every prompt, for evaluations to tell which ones a student has seen. */
  readonly promptHashes: Uint8Array;
}

const SPLIT_SEED = 0; // of the paper's code, random_state: the same rows are held out whatever the run's seed

/** A row as the student reads it, in training and in use alike: the prompt alone, or prompt and response as a pair. */
export function textOf({ prompt, response }: Pick<Row, 'prompt' | 'response'>): TextOrPair {
  return response === undefined ? prompt : [prompt, response];
}

export interface RowsToPrepare {
  readonly seedRows: readonly Row[];
  readonly syntheticRows: readonly Row[];
  /** What a disguised copy was made from: both are held out, or neither. */
  readonly originals?: ReadonlyMap<Row, Row>;
}

/**
 * @param folder of the student, for its tokenizer
 * @throws ConfigError for rows without labels, a single class, too few rows
 */
export async function prepareData(
  folder: string,
  { seedRows, syntheticRows, originals = new Map() }: RowsToPrepare,
  settings: DistillSettings,
  signal?: AbortSignal,
): Promise<DistillData> {
  const rows = [...seedRows, ...syntheticRows];
  if (rows.length === 0) throw new ConfigError('There are no rows to learn from.');
  const targets = rows.map((row) => targetOf(row, settings));
  const unsafe = targets.filter(({ label }) => label === 1).length;
  if (unsafe === 0 || unsafe === rows.length) {
    const only = unsafe === 0 ? 'safe (0)' : 'unsafe (1)';
    throw new ConfigError(`All ${rows.length} rows are labelled ${only}. A guard needs rows of both classes.`);
  }
  const pool = await TokenizerPool.open(folder);
  try {
    const { maxLength, validationShare } = settings;
    const encoded = await pool.encodeBatch(rows.map(textOf), { maxLength, ...(signal ? { signal } : {}) });
    const labels = targets.map(({ label }) => label);
    const asWritten = rows.map((row) => originals.get(row) ?? row);
    const categoryNames = settings.categoryWeight > 0 ? categoriesOf(rows) : [];
    return {
      encoded,
      targets,
      lengths: encoded.map(({ ids }) => ids.length),
      categoryNames,
      categories: rows.map(({ category }) => categoryNumber(categoryNames, category)),
      isSynthetic: rows.map((_, row) => row >= seedRows.length),
      split: splitByPrompt(asWritten, labels, { share: validationShare, seed: SPLIT_SEED }),
      truncated: encoded.filter(({ removedTokens }) => removedTokens > 0).length,
      hash: hashRows(rows, seedRows.length),
      promptHashes: encodePromptHashes(rows.map(({ prompt }) => prompt)),
    };
  } finally {
    await pool.dispose();
  }
}

/** @throws ConfigError where the rows have fewer than two categories, so that there is nothing to tell apart */
function categoriesOf(rows: readonly Row[]): string[] {
  const names = [...new Set(rows.flatMap(({ category }) => category ?? []))].sort();
  if (names.length >= 2) return names;
  throw new ConfigError(`categoryWeight needs rows of at least two categories, these have ${names.length}.`);
}

function categoryNumber(names: readonly string[], category: string | undefined): number {
  const at = category === undefined ? -1 : names.indexOf(category);
  return at < 0 ? IGNORED_LABEL : at;
}

function hashRows(rows: readonly Row[], seedCount: number): string {
  const hash = createHash('sha256').update(`${seedCount}\n`);
  for (const { prompt, response, label, softLabel, category } of rows) {
    hash.update(`${JSON.stringify([prompt, response ?? null, label ?? null, softLabel ?? null, category ?? null])}\n`);
  }
  return `sha256:${hash.digest('hex')}`;
}
