/**
 * Whether a text repeats part of an evaluation set: 13 words in a row, as GPT-3 and after it most others count it, or for
 * shorter texts all of it. Source: Brown et al. 2020, arXiv:2005.14165, appendix C.
 */
import { hashText, mix } from './hash.ts';
import { PairSet } from './pair-set.ts';
import { wordsOf } from './words.ts';

const GRAM_WORDS = 13;

export class Overlap {
  readonly #grams = new PairSet();
  readonly #shortTexts = new PairSet();

  add(text: string): void {
    const words = wordsOf(text);
    if (words.length === 0) return;
    const isShort = words.length < GRAM_WORDS;
    for (const [first, second] of hashesOf(words)) (isShort ? this.#shortTexts : this.#grams).add(first, second);
  }

  /** Two hashes of 32 bits each stand for a piece: of a million texts against a million pieces one in some 10^5 runs errs. */
  has(text: string): boolean {
    const words = wordsOf(text);
    if (words.length === 0) return false;
    const set = words.length < GRAM_WORDS ? this.#shortTexts : this.#grams;
    for (const [first, second] of hashesOf(words)) if (set.has(first, second)) return true;
    return false;
  }
}

/** Of every 13 words in a row, or of all of them where there are fewer. */
function* hashesOf(words: readonly string[]): Generator<readonly [number, number]> {
  const firsts = words.map((word) => hashText(word));
  const seconds = words.map((word) => hashText(word, 0, word.length, 0x9e3779b9));
  const size = Math.min(GRAM_WORDS, words.length);
  for (let at = 0; at + size <= words.length; at++) {
    let [first, second] = [1, 2];
    for (let next = at; next < at + size; next++) {
      first = mix(Math.imul(first, 31) + firsts[next]!);
      second = mix(Math.imul(second, 37) + seconds[next]!);
    }
    yield [first, second];
  }
}
