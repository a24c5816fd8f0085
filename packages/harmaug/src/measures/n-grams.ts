/** Runs of words as counts. */

/** Word n-grams of a text, each with how often it occurs. */
export function countGrams(words: readonly string[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + size <= words.length; at++) {
    const gram = words.slice(at, at + size).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/**
 * Distinct n-grams of all texts together over all n-grams: 1 where none comes twice. `null` where there are none.
 * Source: Li et al. 2016, arXiv:1510.03055, section 5.1
 */
export function distinctGrams(texts: readonly (readonly string[])[], size: number): number | null {
  const distinct = new Set<string>();
  let total = 0;
  for (const words of texts) {
    for (const [gram, count] of countGrams(words, size)) {
      distinct.add(gram);
      total += count;
    }
  }
  return total === 0 ? null : distinct.size / total;
}
