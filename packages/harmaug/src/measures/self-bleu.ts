/**
 * How much of each text is in the others: the mean BLEU of every text with all others as its references. 1 where all are
 * the same. Source: Zhu et al. 2018, arXiv:1802.01886 (Texygen); BLEU-4 as nltk 3.10's `sentence_bleu` with
 * `SmoothingFunction().method1` computes it.
 */
import { countGrams } from './n-grams.ts';

const SIZES = [1, 2, 3, 4];
const SMOOTHING = 0.1; // method1, in place of no match

/** The most that any text has of an n-gram, and the most that any but that one has. */
interface Most {
  readonly owner: number;
  readonly first: number;
  readonly second: number;
}

/** @param texts as words. @returns `null` for fewer than two texts */
export function selfBleu(texts: readonly (readonly string[])[]): number | null {
  if (texts.length < 2) return null;
  const grams = SIZES.map((size) => texts.map((words) => countGrams(words, size)));
  const most = grams.map(mostOf);
  const closest = closestLengths(texts.map(({ length }) => length));
  const scores = texts.map((words, own) => {
    const precisions = SIZES.map((_, at) => precisionOf(grams[at]![own]!, most[at]!, own));
    if (precisions[0]!.matches === 0) return 0;
    const logs = precisions.map(({ matches, total }) => Math.log((matches === 0 ? SMOOTHING : matches) / total));
    const brevity = words.length > closest[own]! ? 0 : 1 - closest[own]! / words.length;
    return Math.exp(brevity + logs.reduce((sum, log) => sum + log, 0) / SIZES.length);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function mostOf(counts: readonly Map<string, number>[]): Map<string, Most> {
  const most = new Map<string, Most>();
  for (const [owner, grams] of counts.entries()) {
    for (const [gram, count] of grams) {
      const { owner: holder = -1, first = 0, second = 0 } = most.get(gram) ?? {};
      if (count > first) most.set(gram, { owner, first: count, second: first });
      else if (count > second) most.set(gram, { owner: holder, first, second: count });
    }
  }
  return most;
}

/** Matches with the other texts, each n-gram at most as often as one of them has it. */
function precisionOf(grams: ReadonlyMap<string, number>, most: ReadonlyMap<string, Most>, own: number) {
  let [matches, total] = [0, 0];
  for (const [gram, count] of grams) {
    const { owner, first, second } = most.get(gram)!;
    matches += Math.min(count, owner === own ? second : first);
    total += count;
  }
  return { matches, total: Math.max(1, total) };
}

/** For each length the nearest one among the others, the shorter of two that are as near. */
function closestLengths(lengths: readonly number[]): number[] {
  const sorted = lengths.map((length, own) => ({ length, own })).sort((a, b) => a.length - b.length);
  const closest: number[] = [];
  sorted.forEach(({ length, own }, at) => {
    const [below, above] = [sorted[at - 1]?.length, sorted[at + 1]?.length];
    const isBelow = above === undefined || (below !== undefined && length - below <= above - length);
    closest[own] = (isBelow ? below : above)!;
  });
  return closest;
}
