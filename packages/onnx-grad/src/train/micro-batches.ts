/** Cutting batches that are too large to compute at once, and weighting their parts. */
import { ConfigError } from '../errors.ts';
import type { Batch, BatchTensor } from './program.ts';

export interface WeightedBatch {
  readonly batch: Batch;
  /** Its share of what the step's loss averages over; the shares of a step add up to 1. */
  readonly weight: number;
}

export interface Cutting {
  /** Most elements of a part's largest input; one row is never cut. */
  readonly maxTokens: number;
  /** What the loss of a batch averages over: `TrainingProgram.countTerms`. Default: its rows. */
  readonly countTerms?: ((batch: Batch) => number) | undefined;
}

/**
 * Batches cut to at most `maxTokens` elements in their largest input (or one row), padding included, each weighted by its
 * share of the terms, so that the weighted sum of their losses, and of gradients, is that of one batch of all rows.
 *
 * With rows for terms that holds for a loss that is a mean over rows. Where the loss leaves out rows or tokens (-100), a
 * part with few labels would weigh as much as one with many: then `countTerms` has to count the labels. A part without
 * any has no loss (0/0) and is left out. No weights make it hold for a sum of means over different rows, such as hard
 * labels on some and soft ones on all: there it holds on average over parts.
 * @throws ConfigError for no rows, inputs of different numbers of rows, or nothing to average over
 */
export function microBatches(batches: readonly Batch[], { maxTokens, countTerms = rowsOf }: Cutting): WeightedBatch[] {
  if (batches.length === 0) throw new ConfigError('A step needs at least one batch.');
  for (const batch of batches) checkRows(batch);
  const parts = batches.flatMap((batch) => cut(batch, maxTokens)).map((batch) => ({ batch, terms: countTerms(batch) }));
  const total = parts.reduce((sum, { terms }) => sum + terms, 0);
  if (!(total > 0)) throw new ConfigError('The step has nothing to learn from: no row or label of its batches counts.');
  return parts.filter(({ terms }) => terms > 0).map(({ batch, terms }) => ({ batch, weight: terms / total }));
}

function cut(batch: Batch, maxTokens: number): Batch[] {
  const rows = rowsOf(batch);
  const tokensPerRow = Math.max(...Object.values(batch).map(({ dims }) => sizeOf(dims) / rows));
  const parts = Math.ceil(rows / Math.max(1, Math.floor(maxTokens / tokensPerRow)));
  if (parts <= 1) return [batch];
  return Array.from({ length: parts }, (_, part) => {
    const [start, end] = [Math.round((part * rows) / parts), Math.round(((part + 1) * rows) / parts)];
    return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, takeRows(tensor, start, end)]));
  });
}

function takeRows({ dtype, dims, data }: BatchTensor, start: number, end: number): BatchTensor {
  const rowSize = sizeOf(dims.slice(1));
  return { dtype, dims: [end - start, ...dims.slice(1)], data: data.subarray(start * rowSize, end * rowSize) };
}

function checkRows(batch: Batch): void {
  const [first, ...others] = Object.entries(batch).map(([name, { dims }]) => ({ name, rows: dims[0] }));
  if (!first?.rows) throw new ConfigError('A batch has no rows.');
  const odd = others.find(({ rows }) => rows !== first.rows);
  if (!odd) return;
  const found = `"${first.name}" has ${first.rows}, "${odd.name}" ${odd.rows ?? 'none'}`;
  throw new ConfigError(`The first axis of every input counts the rows of the batch: ${found}.`);
}

function rowsOf(batch: Batch): number {
  return Object.values(batch)[0]!.dims[0]!;
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
