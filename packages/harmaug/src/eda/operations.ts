/**
 * The four operations of EDA, each a pure function of words and of a source of numbers.
 * Source: Wei & Zou 2019, arXiv:1901.11196, and its code (eda.py); unlike that code, case and punctuation stay.
 */
import { stopWords } from './stop-words.ts';
import { partsOf, replaceCore } from './words.ts';

/** Other words of a word's meanings, lower case; none where it is not known. */
export type Synonyms = (word: string) => readonly string[];

export interface Draw {
  /** From 0 to under 1. */
  readonly uniform: () => number;
  readonly synonyms: Synonyms;
}

/** Words of the text that have synonyms, lower case, each once, with them; stop words left out. */
function replaceable(words: readonly string[], synonyms: Synonyms): [word: string, synonyms: readonly string[]][] {
  const cores = new Set(words.flatMap((word) => partsOf(word).core?.toLowerCase() ?? []));
  return [...cores].flatMap((core) => {
    const others = stopWords.has(core) ? [] : synonyms(core);
    return others.length === 0 ? [] : [[core, others] as [string, readonly string[]]];
  });
}

/** Up to `count` words are replaced wherever they stand, each by one of its synonyms. */
export function replaceWithSynonyms(words: readonly string[], count: number, { uniform, synonyms }: Draw): string[] {
  const chosen = new Map(
    shuffle(replaceable(words, synonyms), uniform)
      .slice(0, count)
      .map(([word, others]) => [word, pick(others, uniform)]),
  );
  return words.map((word) => {
    const parts = partsOf(word);
    const replacement = parts.core === null ? undefined : chosen.get(parts.core.toLowerCase());
    return replacement === undefined ? word : replaceCore(parts, replacement);
  });
}

/** `count` times a synonym of one of the words is put in at a random place. */
export function insertSynonyms(words: readonly string[], count: number, { uniform, synonyms }: Draw): string[] {
  const known = replaceable(words, synonyms);
  const result = [...words];
  if (known.length === 0) return result;
  for (let n = 0; n < count; n++) {
    const [, others] = pick(known, uniform);
    result.splice(Math.floor(uniform() * (result.length + 1)), 0, pick(others, uniform));
  }
  return result;
}

/** `count` times two words change places. */
export function swapWords(words: readonly string[], count: number, { uniform }: Draw): string[] {
  const result = [...words];
  if (words.length < 2) return result;
  for (let n = 0; n < count; n++) {
    const first = Math.floor(uniform() * words.length);
    const second = (first + 1 + Math.floor(uniform() * (words.length - 1))) % words.length;
    [result[first], result[second]] = [result[second]!, result[first]!];
  }
  return result;
}

/** Each word is left out with the chance `share`; one stays at the least. */
export function deleteWords(words: readonly string[], share: number, { uniform }: Draw): string[] {
  if (words.length < 2) return [...words];
  const kept = words.filter(() => uniform() >= share);
  return kept.length > 0 ? kept : [pick(words, uniform)];
}

/** In another order (Fisher and Yates). */
export function shuffle<T>(list: readonly T[], uniform: () => number): T[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last--) {
    const at = Math.floor(uniform() * (last + 1));
    [result[last], result[at]] = [result[at]!, result[last]!];
  }
  return result;
}

function pick<T>(list: readonly T[], uniform: () => number): T {
  return list[Math.floor(uniform() * list.length)]!;
}
