/** Morse code, in dots and dashes of any kind. */
import { type Decode, decodeMatches, join } from './view.ts';

/** Source: ITU-R M.1677-1. */
const letters: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- w.-- ' +
    'x-..- y-.-- z--.. 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----. 0----- ..-.-.- ,--..-- ?..--.. ' +
    '\'.----. !-.-.-- /-..-. (-.--. )-.--.- &.-... :---... ;-.-.-. =-...- +.-.-. --....- _..--.- ".-..-. $...-..- @.--.-.'
  )
    .split(' ')
    .map((entry) => [entry.slice(1), entry[0]!]),
);

const RUN = /[.·•\-–—−_][.·•\-–—−_\s/|]{10,}/g;
const LEAST_LETTERS = 4; // different ones: a rule or a table's line has one or two

export const decodeMorse: Decode = (text) => join(decodeMatches(text, RUN, ofMorse));

function ofMorse(match: string): string | null {
  const plain = match.replace(/[·•]/g, '.').replace(/[–—−_]/g, '-');
  const words = plain.split(/\s*[/|]\s*|\s{2,}|\n/).map((word) => word.split(/\s/).filter((signs) => signs !== ''));
  const signs = words.flat();
  const known = signs.filter((one) => Object.hasOwn(letters, one));
  if (known.length < 0.9 * signs.length || new Set(known).size < LEAST_LETTERS) return null;
  return words.map((word) => word.map((one) => letters[one] ?? '').join('')).join(' ');
}
