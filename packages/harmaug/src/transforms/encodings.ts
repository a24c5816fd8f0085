/** Texts written so that a reader, or a model that knows the trick, still understands them. `packages/guard` undoes most. */

/** Numbers from 0 to 1, the next at every call. */
export type Uniform = () => number;

/** Latin letters moved on in the alphabet; everything else stays. */
export function caesar(text: string, shift: number): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const first = letter < 'a' ? 65 : 97;
    return String.fromCharCode(first + ((letter.charCodeAt(0) - first + shift) % 26));
  });
}

export function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const parts: string[] = [];
  // in pieces: a function takes only so many arguments
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return btoa(parts.join(''));
}

export function hex(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** By code points, so that no emoji falls apart into halves. */
export function reversed(text: string): string {
  return [...text].reverse().join('');
}

/** Letters with `separator` between them; words stay apart. */
export function spaced(text: string, separator: string): string {
  const between = separator === ' ' ? '   ' : ' ';
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => [...word].join(separator))
    .join(between);
}

/** ASCII signs in the width of Chinese ones; spaces stay. */
export function fullWidth(text: string): string {
  return text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
}

const digits: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' };

/** @param share of the letters that have a digit like them */
export function leetspeak(text: string, share: number, uniform: Uniform): string {
  return text.replace(/[aeiost]/gi, (letter) => (uniform() < share ? digits[letter.toLowerCase()]! : letter));
}

/** Cyrillic letters that look like Latin ones. */
const lookAlikesOf: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['abekmhopctyxijsdqw', 'авекмнорстухіјѕԁԛԝ'],
    ['ABEKMHOPCTYXIJS', 'АВЕКМНОРСТУХІЈЅ'],
  ].flatMap(([latin, cyrillic]) => [...latin!].map((letter, index) => [letter, cyrillic![index]!])),
);

/** @param share of the letters that have a look-alike */
export function lookAlikes(text: string, share: number, uniform: Uniform): string {
  return text.replace(/[A-Za-z]/g, (letter) => {
    const other = lookAlikesOf[letter];
    return other !== undefined && uniform() < share ? other : letter;
  });
}

const INVISIBLE = ['\u200b', '\u2060', '\ufeff', '\u00ad'];

/** @param share of the letters and digits that an invisible character follows */
export function zeroWidth(text: string, share: number, uniform: Uniform): string {
  return text.replace(/[\p{L}\p{N}]/gu, (letter) => {
    return uniform() < share ? letter + INVISIBLE[Math.floor(uniform() * INVISIBLE.length)] : letter;
  });
}
