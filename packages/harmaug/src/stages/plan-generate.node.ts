/** What generate will ask, as data: cells with their writers, and rounds of candidates. */
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { Row } from '../data/row.ts';
import { candidateOf, type Writing } from './candidates.node.ts';
import { defaultCategories } from './categories.ts';
import { type Cell, type CellProgress, limitCounts, nextAsk, wantedOf } from './cells.ts';
import { poolOf } from './exemplars.ts';
import { modelIdentity } from './identity.node.ts';
import { modelOf, type NamedModel, need, type Pipeline } from './pipeline.node.ts';
import type { Kind } from './prompts.ts';

export interface Writer extends Writing {
  readonly named: NamedModel;
}

export interface GeneratePlan {
  readonly cells: readonly Cell[];
  readonly writers: Readonly<Record<Kind, Writer | null>>;
  /** Instructions wanted of all cells together. */
  readonly wanted: number;
}

/**
 * @param limit most instructions of all cells together
 * @throws ConfigError where examples are asked for and the labelled data has none
 */
export function planGenerate(pipeline: Pipeline, seedRows: readonly Row[], limit?: number): GeneratePlan {
  const section = need(pipeline, 'generate');
  const { benign, folder, file } = pipeline;
  const writerOf = (own: Omit<NonNullable<Pipeline['benign']>, 'share'>): Writer => {
    const named = modelOf(pipeline, own.model ?? section.model);
    const { system, prompts, prefix, exemplars, temperature, topP, maxTokens, stop } = own;
    const model = modelIdentity(named.config, (name) => path.resolve(folder, name));
    const sampling = { temperature, topP, maxTokens, stop };
    return { named, model, system, prompts, prefix, exemplars, sampling, seed: section.seed };
  };
  const writers = { harmful: writerOf(section), benign: benign ? writerOf(benign) : null };
  const pairs = (section.categories ?? defaultCategories).flatMap((category) =>
    wantedOf(section.perCategory, benign?.share ?? 0).map((cell) => ({ ...cell, category })),
  );
  const counts = limitCounts(
    pairs.map(({ wanted }) => wanted),
    limit ?? Number.POSITIVE_INFINITY,
  );
  const cells = pairs.map(({ kind, category }, index): Cell => {
    const wanted = counts[index]!;
    const pool = writers[kind]!.exemplars === 0 ? { own: [], others: [] } : poolOf(seedRows, kind, category);
    return { kind, category, wanted, most: Math.ceil(wanted * section.attempts), pool };
  });
  for (const { kind, pool } of cells) {
    if (writers[kind]!.exemplars > 0 && pool.own.length + pool.others.length === 0) {
      throw new ConfigError(noExemplars(file, kind, seedRows.length));
    }
  }
  return { cells, writers, wanted: counts.reduce((sum, count) => sum + count, 0) };
}

function noExemplars(file: string, kind: Kind, rows: number): string {
  const section = kind === 'harmful' ? 'generate' : 'benign';
  const [label, word] = kind === 'harmful' ? [1, 'unsafe'] : [0, 'safe'];
  const found = rows === 0 ? 'and there are no seed data (section "seed")' : `and none of the ${rows} seed rows is one`;
  return `${file}: ${section}.exemplars are drawn from ${word} rows (label ${label}), ${found}. Add some, or set exemplars: 0.`;
}

/** Candidates of one round in the order of the plan: cell by cell, number by number. */
export interface Round {
  /** From 1. */
  readonly number: number;
  readonly keys: readonly string[];
  readonly cells: Int32Array;
  readonly numbers: Int32Array;
}

/** The next round; `null` where every cell is full or at its limit. */
export function nextRound(plan: GeneratePlan, progress: readonly CellProgress[], number: number): Round | null {
  const asks = plan.cells.map((cell, index) => nextAsk(cell, progress[index]!));
  const count = asks.reduce((sum, ask) => sum + ask, 0);
  if (count === 0) return null;
  const cells = new Int32Array(count);
  const numbers = new Int32Array(count);
  const keys: string[] = [];
  for (const [index, ask] of asks.entries()) {
    const cell = plan.cells[index]!;
    for (let next = progress[index]!.asked; next < progress[index]!.asked + ask; next++) {
      cells[keys.length] = index;
      numbers[keys.length] = next;
      keys.push(candidateOf(cell, plan.writers[cell.kind]!, next).key);
    }
  }
  return { number, keys, cells, numbers };
}
