/**
 * Batches of rows of similar length. What is learned stays the same as with random batches: every row once an epoch, the
 * order of batches random, their make-up different in every epoch. What changes is that little of a batch is padding.
 */
import { ConfigError } from 'onnx-grad';
import { mulberry32 } from '../initialize.ts';

export interface LengthBatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Counts from 0; each has an order of its own. */
  readonly epoch: number;
  /** How far a length is moved at random before sorting, as a share of itself: 0.1 is up to 10% either way. */
  readonly jitter?: number;
}

/** Where a run stands: `index` batches of this epoch are done. With the options it says what comes next. */
export interface DataPosition {
  readonly epoch: number;
  readonly index: number;
}

const JITTER = 0.06; // docs/experiments.md, "Batches by length"
const EPOCH_STRIDE = 0x9e3779b1; // 2^32 / golden ratio: epochs far apart in the generator's states

/**
 * The batches of one epoch, as row numbers; the last rows left over make one smaller batch, anywhere in the order.
 * @param lengths tokens of each row
 * @throws ConfigError for options outside their range
 * @example
 * const batches = lengthBatches(encoded.map(({ ids }) => ids.length), { batchSize: 32, seed: 1, epoch: 0 });
 */
export function lengthBatches(lengths: ArrayLike<number>, options: LengthBatchOptions): number[][] {
  const { batchSize, seed, epoch, jitter = JITTER } = options;
  expectWhole('batchSize', batchSize, 1);
  expectWhole('epoch', epoch, 0);
  if (!Number.isSafeInteger(seed)) throw new ConfigError(`seed: expected a whole number, got ${seed}.`);
  if (!(jitter >= 0 && jitter <= 1)) throw new ConfigError(`jitter: expected a number from 0 to 1, got ${jitter}.`);
  const uniform = mulberry32(seed ^ Math.imul(epoch + 1, EPOCH_STRIDE));
  const rows = shuffle(
    Array.from({ length: lengths.length }, (_, row) => row),
    uniform,
  ); // equal lengths in random order
  const keys = Float64Array.from(lengths, (length) => length * (1 + jitter * (2 * uniform() - 1)));
  rows.sort((a, b) => keys[a]! - keys[b]!); // stable
  const batches: number[][] = [];
  for (let start = 0; start < rows.length; start += batchSize) batches.push(rows.slice(start, start + batchSize));
  return shuffle(batches, uniform);
}

/** Tokens computed for each real one when every batch is padded to its longest row: 1 is none wasted. */
export function computedPerReal(lengths: ArrayLike<number>, batches: readonly (readonly number[])[]): number {
  let computed = 0;
  let real = 0;
  for (const batch of batches) {
    computed += paddedTokens(lengths, batch);
    for (const row of batch) real += lengths[row]!;
  }
  return computed / real;
}

/** Tokens that a batch computes, padding included. */
export function paddedTokens(lengths: ArrayLike<number>, batch: readonly number[]): number {
  return batch.length * batch.reduce((longest, row) => Math.max(longest, lengths[row]!), 0);
}

/** Fisher-Yates, in place. */
function shuffle<Item>(items: Item[], uniform: () => number): Item[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}

function expectWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new ConfigError(`${name}: expected a whole number from ${min}, got ${value}.`);
}
