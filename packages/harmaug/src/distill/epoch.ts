/** Which rows an epoch shows, and in which batches. */
import { lengthBatches, mulberry32 } from '@harmaug/models';
import type { DistillSettings } from './settings.ts';

export interface TrainingRows {
  /** Tokens of each row. */
  readonly lengths: ArrayLike<number>;
  /** 1 = unsafe */
  readonly labels: ArrayLike<number>;
  /** Whether the row is of the synthetic set. */
  readonly isSynthetic: readonly boolean[];
}

const DRAW_STRIDE = 0x85ebca6b; // murmur3's first constant: the draws of an epoch and its batches are far apart

/** The batches of an epoch, as row numbers. A pure function, so that a resumed run goes on. */
export function epochBatches(
  rows: TrainingRows,
  settings: Pick<DistillSettings, 'batchSize' | 'sampling' | 'batching' | 'syntheticShare'>,
  { seed, epoch }: { seed: number; epoch: number },
): number[][] {
  const drawn = drawRows(rows, settings, Math.imul(seed + epoch + 1, DRAW_STRIDE));
  const lengths = drawn.map((row) => (settings.batching === 'mixed' ? 1 : rows.lengths[row]!));
  const batches = lengthBatches(lengths, { batchSize: settings.batchSize, seed, epoch });
  return batches.map((batch) => batch.map((at) => drawn[at]!));
}

/** Every row once, or as many draws with replacement where classes or sets are to come in other shares. */
function drawRows(
  { lengths, labels, isSynthetic }: TrainingRows,
  { sampling, syntheticShare }: Pick<DistillSettings, 'sampling' | 'syntheticShare'>,
  seed: number,
): number[] {
  const all = Array.from({ length: lengths.length }, (_, row) => row);
  if (sampling === 'plain' && syntheticShare === null) return all;
  const setShare = (row: number) => {
    if (syntheticShare === null) return 1;
    return isSynthetic[row] ? syntheticShare : 1 - syntheticShare;
  };
  const groupOf = (row: number) => {
    const set = syntheticShare === null ? '' : String(isSynthetic[row]);
    return sampling === 'balanced' ? `${set}${labels[row]}` : set;
  };
  const sizes = new Map<string, number>();
  for (const row of all) sizes.set(groupOf(row), (sizes.get(groupOf(row)) ?? 0) + 1);
  let total = 0;
  const upTo = Float64Array.from(all, (row) => {
    total += setShare(row) / sizes.get(groupOf(row))!;
    return total;
  });
  const uniform = mulberry32(seed);
  return all.map(() => firstOver(upTo, uniform() * total));
}

/** The first place whose running sum is over `value`. */
function firstOver(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
