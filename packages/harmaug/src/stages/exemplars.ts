/** Examples for a writer, drawn by seed from labelled data. */
import { mulberry32 } from '@harmaug/models';
import type { Row } from '../data/row.ts';
import { hashText } from '../dedup/hash.ts';
import { type Category, isOfCategory } from './categories.ts';
import type { Exemplar, Kind } from './prompts.ts';

const LONGEST_EXEMPLAR = 600; // characters; longer ones crowd out the request

/** Those of the category come first, others fill up. */
export interface ExemplarPool {
  readonly own: readonly Exemplar[];
  readonly others: readonly Exemplar[];
}

/**
 * Labels of prompts alone are taken before those of pairs, which are about the response.
 * @param rows with hard or soft labels
 */
export function poolOf(rows: readonly Row[], kind: Kind, category: Category): ExemplarPool {
  const isWanted = ({ label, softLabel }: Row) => {
    const unsafe = label ?? (softLabel === undefined ? null : softLabel > 0.5 ? 1 : 0);
    return unsafe === (kind === 'harmful' ? 1 : 0);
  };
  const short = rows.filter((row) => row.prompt.length <= LONGEST_EXEMPLAR && isWanted(row));
  const alone = short.filter(({ response }) => response === undefined);
  const usable = alone.length > 0 ? alone : short;
  const isOwn = (row: Row) => row.category !== undefined && isOfCategory(row.category, category);
  return { own: usable.filter(isOwn), others: usable.filter((row) => !isOwn(row)) };
}

/** Up to `count` different ones. The same words of `seed` draw the same. */
export function drawExemplars({ own, others }: ExemplarPool, count: number, seed: string): Exemplar[] {
  const uniform = mulberry32(hashText(seed));
  const first = draw(own, count, uniform);
  return [...first, ...draw(others, count - first.length, uniform)];
}

/** Without replacement (Floyd's method), so that a pool of a million costs no more than one of ten. */
function draw(pool: readonly Exemplar[], count: number, uniform: () => number): Exemplar[] {
  const chosen = new Set<number>();
  for (let last = Math.max(0, pool.length - count); last < pool.length; last++) {
    const at = Math.floor(uniform() * (last + 1));
    chosen.add(chosen.has(at) ? last : at);
  }
  return [...chosen].map((at) => pool[at]!);
}
