/** Letters written as digits and signs: "h0w t0 m4k3". */
import { pairBits } from './fluency.ts';
import type { Decode } from './view.ts';

const signs: Readonly<Record<string, readonly string[]>> = {
  '0': ['o'],
  '1': ['i', 'l'],
  '2': ['z'],
  '3': ['e'],
  '4': ['a'],
  '5': ['s'],
  '6': ['g', 'b'],
  '7': ['t'],
  '8': ['b'],
  '9': ['g'],
  '@': ['a'],
  $: ['s'],
  '!': ['i', 'l'],
  '|': ['i', 'l'],
  '+': ['t'],
};

const WORD = /[\p{L}\p{N}@$!|+'’-]+/gu;
/** A sign between letters, before or after some. */
const MIXED = /[a-z][0-9@$!|+]+[a-z]|^[0-9@$|+][a-z]{2,}|^[a-z]*[0-9@$|+]+[a-z]+[0-9@$|+]/i;
/** Plain text has these: "3rd", "10pm", "5km". */
const COUNTED = /^[0-9]+(?:st|nd|rd|th|[ap]m|k?m|[cm]m|k?g|[kmg]b|px|min|sec|hrs?|yrs?)$/i;
const LEAST_WORDS = 3;
const LEAST_SHARE = 0.25; // of the words

export const decodeLeetspeak: Decode = (text) => {
  const words = [...text.matchAll(WORD)];
  const mixed = words.filter(([word]) => MIXED.test(word) && !COUNTED.test(word));
  if (mixed.length < LEAST_WORDS || mixed.length < LEAST_SHARE * words.length) return null;
  return { text: text.replace(WORD, ofWord), begin: 0, end: text.length };
};

/** Of the letters that a sign can be, the one that fits its neighbours. A sign at the end of a word is one. */
function ofWord(word: string): string {
  let end = word.length;
  while (end > 0 && '!|+'.includes(word[end - 1]!)) end--;
  const characters = [...word.slice(0, end)];
  return (
    characters
      .map((character, at) => {
        const options = signs[character];
        if (!options) return character;
        const [before, after] = [characters[at - 1] ?? ' ', characters[at + 1] ?? ' '].map(
          (near) => signs[near]?.[0] ?? near,
        );
        const bits = options.map((letter) => pairBits(before!, letter) + pairBits(letter, after!));
        return options[bits.indexOf(Math.min(...bits))]!;
      })
      .join('') + word.slice(end)
  );
}
