/** Cutting batches that are too large to compute at once, and weighting their parts. */
import type { Batch, BatchTensor } from './program.ts';

export interface WeightedBatch {
  readonly batch: Batch;
  /** Its share of all rows; the shares of a step add up to 1. */
  readonly weight: number;
}

/** Batches of at most `maxTokens` elements in their largest input (or one row), each weighted by its rows. */
export function microBatches(batches: readonly Batch[], maxTokens: number): WeightedBatch[] {
  const parts = batches.flatMap((batch) => cut(batch, maxTokens));
  const total = parts.reduce((sum, part) => sum + rowsOf(part), 0);
  return parts.map((batch) => ({ batch, weight: rowsOf(batch) / total }));
}

function cut(batch: Batch, maxTokens: number): Batch[] {
  const rows = rowsOf(batch);
  const tokensPerRow = Math.max(...Object.values(batch).map(({ dims }) => dims.reduce((a, b) => a * b, 1) / rows));
  const parts = Math.ceil(rows / Math.max(1, Math.floor(maxTokens / tokensPerRow)));
  if (parts <= 1) return [batch];
  return Array.from({ length: parts }, (_, part) => {
    const [start, end] = [Math.round((part * rows) / parts), Math.round(((part + 1) * rows) / parts)];
    return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, takeRows(tensor, start, end)]));
  });
}

function takeRows({ dtype, dims, data }: BatchTensor, start: number, end: number): BatchTensor {
  const rowSize = dims.slice(1).reduce((a, b) => a * b, 1);
  return { dtype, dims: [end - start, ...dims.slice(1)], data: data.subarray(start * rowSize, end * rowSize) };
}

export function rowsOf(batch: Batch): number {
  return Object.values(batch)[0]?.dims[0] ?? 0;
}
