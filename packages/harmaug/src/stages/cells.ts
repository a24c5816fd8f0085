/**
 * Cells: the instructions of one kind in one category. Each is asked for in rounds, and what a round asks for follows
 * from what those before it kept, so that a run comes to the same set however its calls come in.
 */
import type { Category } from './categories.ts';
import type { ExemplarPool } from './exemplars.ts';
import type { Kind } from './prompts.ts';

export interface Cell {
  readonly kind: Kind;
  readonly category: Category;
  /** Instructions to be kept. */
  readonly wanted: number;
  /** Most candidates asked for. */
  readonly most: number;
  readonly pool: ExemplarPool;
}

export interface CellProgress {
  readonly asked: number;
  readonly kept: number;
}

const LEAST_RATE = 0.1; // of candidates kept; with fewer the next round is no larger, since the one after may be the last

/** How many more candidates the next round asks for; 0 where the cell is full or at its limit. */
export function nextAsk({ wanted, most }: Pick<Cell, 'wanted' | 'most'>, { asked, kept }: CellProgress): number {
  const missing = wanted - kept;
  if (missing <= 0) return 0;
  const rate = asked === 0 ? 1 : Math.max(LEAST_RATE, kept / asked);
  return Math.max(0, Math.min(Math.ceil(missing / rate), most - asked));
}

export interface Wanted {
  readonly kind: Kind;
  readonly wanted: number;
}

/** Wanted in one category: as given, and benign ones so that they are this share of all. */
export function wantedOf(perCategory: number, benignShare: number): Wanted[] {
  const benign = Math.round((perCategory * benignShare) / (1 - benignShare));
  const harmful: Wanted = { kind: 'harmful', wanted: perCategory };
  return benign === 0 ? [harmful] : [harmful, { kind: 'benign', wanted: benign }];
}

/** The same counts brought down to a sum of at most `limit`, in proportion; what is over goes to the first ones. */
export function limitCounts(counts: readonly number[], limit: number): number[] {
  const sum = counts.reduce((total, count) => total + count, 0);
  if (sum <= limit) return [...counts];
  const lower = counts.map((count) => Math.floor((count * limit) / sum));
  let over = limit - lower.reduce((total, count) => total + count, 0);
  return lower.map((count, index) => {
    if (over === 0 || count >= counts[index]!) return count;
    over -= 1;
    return count + 1;
  });
}
