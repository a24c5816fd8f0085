/** The alphabet shifted, and text from its end to its beginning: stretches whose letters are in no language's order. */
import { bitsOf, countPairs, type LetterPairs, letterOf } from './fluency.ts';
import { type Decode, join, type Stretch } from './view.ts';

/** As sentences, lines and quotations end. */
const SEGMENT = /[^\n.!?:;"“”]+[\n.!?:;"“”]*/g;
const LEAST_LETTERS = { whole: 10, segment: 20 };
/** Bits a pair: plain text in Latin letters stays below the first, English below the second. */
const STRANGE_BITS = 5;
const FLUENT_BITS = 4.3;
/** Reversed English keeps its vowels between consonants: what tells is the difference between the directions. */
const REVERSED_GAIN = 0.5;

interface Guess {
  readonly text: string;
  readonly bits: number;
}

/** `null` for a text that is in the order of a language as it stands. */
type Undo = (text: string, pairs: LetterPairs) => Guess | null;

const undoCaesar: Undo = (text, pairs) => {
  if (bitsOf(pairs) <= STRANGE_BITS) return null;
  const bits = Array.from({ length: 26 }, (_, shift) => bitsOf(pairs, { shift }));
  const best = Math.min(...bits);
  return { text: shifted(text, bits.indexOf(best)), bits: best };
};

const undoReversal: Undo = (text, pairs) => {
  const bits = bitsOf(pairs, { isReversed: true });
  return bitsOf(pairs) - bits < REVERSED_GAIN ? null : { text: [...text].reverse().join(''), bits };
};

export const decodeCaesar: Decode = (text) => decodeLetters(text, undoCaesar);
export const decodeReversed: Decode = (text) => decodeLetters(text, undoReversal);

/** The whole text where that makes sense of it, else the segments of which it does. */
function decodeLetters(text: string, undo: Undo): Stretch | null {
  const whole = decodePart(text, 0, LEAST_LETTERS.whole, undo);
  if (whole) return whole;
  const segments = [...text.matchAll(SEGMENT)];
  return join(
    segments.flatMap((match) => decodePart(match[0], match.index, LEAST_LETTERS.segment, undo) ?? []),
    ' ',
  );
}

function decodePart(text: string, begin: number, leastLetters: number, undo: Undo): Stretch | null {
  if (text.length < leastLetters) return null;
  const pairs = countPairs(text);
  if (pairs.letters < leastLetters || pairs.letters < text.length / 2) return null;
  const guess = undo(text, pairs);
  return guess && guess.bits <= FLUENT_BITS ? { text: guess.text, begin, end: begin + text.length } : null;
}

function shifted(text: string, shift: number): string {
  return text.replace(/[A-Za-z]/g, (character) => {
    const code = character.charCodeAt(0);
    const first = code < 97 ? 65 : 97;
    return String.fromCharCode(first + ((letterOf(code) + shift) % 26));
  });
}
