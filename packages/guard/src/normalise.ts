/** Undoing what hides words from a tokenizer and not from a reader: invisible characters, look-alikes, styled letters. */

export interface Normalised {
  readonly text: string;
  /** The original's UTF-16 offset of an offset of `text`. */
  readonly toOriginal: (offset: number) => number;
}

/** Never seen and without meaning for a reader: soft hyphen, zero-width spaces, directions, tags. */
const INVISIBLE = /[\u00ad\u180e\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
/** Zero-width joiners: Persian, Hindi and emoji need them, so they go after Latin letters and digits alone. */
const JOINER = /[\u200c\u200d]/;
/** Letters and digits in another style: full-width, mathematical, in circles. */
const STYLED = /[\uff01-\uff5e\u{1d400}-\u{1d7ff}\u24b6-\u24e9]/u;
const RARE = new RegExp(`${INVISIBLE.source}|${JOINER.source}|${STYLED.source}|[\\u0251\\u0261\\u0370-\\u058f]`, 'u');

const lookAlikes: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['авекмнорстухіјѕԁԛԝһӏьп', 'abekmhopctyxijsdqwhlbn'], // Cyrillic
    ['АВЕКМНОРСТУХІЈЅԀԚԜҺӀ', 'ABEKMHOPCTYXIJSDQWHI'],
    ['αονρτυχικγϲϳ', 'aovptuxikycj'], // Greek
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
    ['օոսհցզգ', 'onuhgqq'], // Armenian
    ['ѵѴүԍ', 'vVyG'], // Cyrillic, rarer
    ['ɑɡ', 'ag'], // Latin
  ].flatMap(([from, to]) => [...from!].map((character, index) => [character, to![index]!])),
);

/** A run of letters of any kind. */
const WORD = /[\p{L}\p{M}]+/gu;
const FOREIGN = /[^\p{ASCII}]/gu;
const LATIN = /[\p{Script=Latin}\p{M}]/u;

/**
 * Look-alikes are mapped inside words that have Latin letters too and no other foreign ones, and in words of nothing else
 * that stand among such words ("іѕ"): Russian and Greek stay. Text with nothing of the kind comes back as it is, at the
 * cost of one look.
 */
export function normalise(text: string): Normalised {
  if (!RARE.test(text)) return { text, toOriginal: (offset) => offset };
  const parts: string[] = [];
  const origins: number[] = []; // by UTF-16 offset of the result
  const add = (piece: string, at: number, isSame: boolean): void => {
    parts.push(piece);
    for (let i = 0; i < piece.length; i++) origins.push(isSame ? at + i : at);
  };
  let last = '';
  let at = 0;
  for (const character of text) {
    const isHidden = INVISIBLE.test(character) || (JOINER.test(character) && /[A-Za-z0-9]/.test(last));
    if (!isHidden) {
      const styled = STYLED.test(character) ? character.normalize('NFKC') : character;
      last = /^[\x20-\x7e]+$/.test(styled) ? styled : character;
      add(last, at, last === character);
    }
    at += character.length;
  }
  origins.push(text.length);
  const plain = mapLookAlikes(parts.join('')); // one character for one: offsets stay
  return { text: plain, toOriginal: (offset) => origins[offset]! };
}

type WordKind = 'latin' | 'disguised' | 'ambiguous' | 'foreign';

function kindOf(word: string): WordKind {
  const foreign = word.match(FOREIGN) ?? [];
  const odd = foreign.filter((character) => Object.hasOwn(lookAlikes, character)).length;
  if (odd === 0) return foreign.every((character) => LATIN.test(character)) ? 'latin' : 'foreign';
  if (odd < foreign.length) return 'foreign';
  return /[A-Za-z]/.test(word) ? 'disguised' : 'ambiguous'; // all of it looks Latin, as "сон" does
}

function mapLookAlikes(text: string): string {
  const words = Array.from(text.matchAll(WORD), ([word]) => ({ word, kind: kindOf(word) }));
  const isMapped = words.map(({ kind }) => kind === 'disguised');
  let begin = 0; // of a stretch without foreign words
  for (let at = 0; at <= words.length; at++) {
    if (at < words.length && words[at]!.kind !== 'foreign') continue;
    const isDisguised = words.slice(begin, at).some(({ kind }) => kind === 'disguised');
    for (let one = begin; one < at; one++) isMapped[one] ||= isDisguised && words[one]!.kind === 'ambiguous';
    begin = at + 1;
  }
  let index = 0;
  return text.replace(WORD, (word) =>
    isMapped[index++] ? word.replace(FOREIGN, (character) => lookAlikes[character]!) : word,
  );
}
