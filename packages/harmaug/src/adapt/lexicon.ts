/**
 * What an attack makes of each word, read off its examples, and old texts written over with it: an attack that writes a word
 * always the same way is so learned of all the words that its examples have, in more texts than they are.
 * Source: code-switched training, Qin et al. 2020, arXiv:2006.06402
 */
import { partsOf, wordsOf } from '../eda/words.ts';

/** What stands for a word as it is written, and in lower case where it was seen with a capital alone. */
export type Lexicon = ReadonlyMap<string, string>;

export interface TextPair {
  readonly original: string;
  readonly disguised: string;
}

const LEAST_AGREEMENT = 0.9; // share of a repeated word's places that have the same in its place: translations have far less

/** @returns `null` where words are not written one by one, or not always the same way */
export function readLexicon(pairs: Iterable<TextPair>): Lexicon | null {
  const seen = new Map<string, Map<string, number>>();
  for (const { original, disguised } of pairs) {
    const [words, others] = [wordsOf(original), wordsOf(disguised)];
    if (words.length !== others.length) continue;
    for (const [at, word] of words.entries()) {
      const { before, core, after } = partsOf(word);
      const other = others[at]!;
      if (core === null || other.length <= before.length + after.length) continue;
      if (!other.startsWith(before) || !other.endsWith(after)) continue;
      const counts = seen.get(core) ?? new Map<string, number>();
      const value = other.slice(before.length, other.length - after.length);
      counts.set(value, (counts.get(value) ?? 0) + 1);
      seen.set(core, counts);
    }
  }
  const lexicon = new Map<string, string>();
  let [places, agreeing] = [0, 0];
  for (const [word, counts] of seen) {
    const [value, most] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best));
    const all = [...counts.values()].reduce((a, b) => a + b, 0);
    if (all > 1) {
      places += all;
      agreeing += most;
    }
    if (value !== word) lexicon.set(word, value);
  }
  for (const [word, value] of [...lexicon]) {
    const lower = word.toLowerCase();
    if (!seen.has(lower) && value !== value.toLowerCase()) lexicon.set(lower, value.toLowerCase());
  }
  return lexicon.size > 0 && agreeing >= LEAST_AGREEMENT * places ? lexicon : null;
}

/** A share of the words that the lexicon knows in its writing; what clings to them and all else stays. */
export function switchWords(text: string, lexicon: Lexicon, share: number, uniform: () => number): string {
  return text.replace(/\S+/g, (word) => {
    const { before, core, after } = partsOf(word);
    if (core === null) return word;
    const value = lexicon.get(core) ?? lexicon.get(core.toLowerCase());
    return value === undefined || uniform() >= share ? word : `${before}${value}${after}`;
  });
}
