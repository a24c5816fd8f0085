/** How a text may be disguised, each with the test that it is and what undoes it. */
import { normalise } from '../normalise.ts';
import { decodeBase64, decodeHex } from './bytes.ts';
import { decodeLeetspeak } from './leetspeak.ts';
import { decodeCaesar, decodeReversed } from './letters.ts';
import { decodeMorse } from './morse.ts';
import { decodeSpaced } from './spaced.ts';
import type { Decode } from './view.ts';

const LEAST_CHANGED = 2; // one look-alike or invisible character is a slip
/** Full-width, mathematical and circled letters; Chinese has full-width punctuation, which does not count. */
const STYLED_LETTERS = /(?:[\uff21-\uff3a\uff41-\uff5a\u{1d400}-\u{1d7ff}\u24b6-\u24e9].*?){3}/su;
const FULL_WIDTH_SIGN = /[\uff00-\uff20\uff3b-\uff40\uff5b-\uff65]/;

const decodeStyled =
  (isStyled: boolean): Decode =>
  (text) => {
    if (STYLED_LETTERS.test(text) !== isStyled) return null;
    const plain = normalise(text);
    const changed = text.length === plain.text.length ? differences(text, plain.text) : LEAST_CHANGED;
    return changed >= LEAST_CHANGED ? { text: plain.text, begin: 0, end: text.length } : null;
  };

function differences(one: string, other: string): number {
  let count = 0;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i] && !FULL_WIDTH_SIGN.test(one[i]!)) count++;
  return count;
}

export const views = {
  base64: decodeBase64,
  hex: decodeHex,
  caesar: decodeCaesar,
  morse: decodeMorse,
  leetspeak: decodeLeetspeak,
  reversed: decodeReversed,
  spaced: decodeSpaced,
  'full-width': decodeStyled(true),
  'look-alikes': decodeStyled(false),
} satisfies Record<string, Decode>;

export type ViewName = keyof typeof views;
export const viewNames = Object.keys(views) as ViewName[];
