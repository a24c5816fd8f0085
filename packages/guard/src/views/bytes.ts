/** Text written as bytes: base64 and hexadecimal. */
import { type Decode, decodeMatches, join, textOfBytes } from './view.ts';

/** Lines as in mail. Begun at the first digit of a run alone, or a long run takes time in its square. */
const BASE64_LINES = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,}\r?\n)+[A-Za-z0-9+/]{2,}={0,2}/g;
/** 12 bytes and more. */
const BASE64_RUN = /[A-Za-z0-9+/_-]{16,}={0,2}/g;

/** Random characters have a chance of 1 in 100,000 to be text. */
export const decodeBase64: Decode = (text) =>
  join(decodeMatches(text, BASE64_LINES, ofBase64)) ?? join(decodeMatches(text, BASE64_RUN, ofBase64));

function ofBase64(match: string): string | null {
  const digits = match
    .replace(/[\r\n=]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  const whole = digits.length % 4 === 1 ? digits.slice(0, -1) : digits; // one digit alone is no byte
  return textOfBytes(Uint8Array.from(atob(whole), (character) => character.charCodeAt(0)));
}

/** Eight bytes and more, with or without what may stand between and before them. */
const HEX = /(?<![0-9A-Za-z])(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[\s:,;-]{0,2}){8,}(?![0-9A-Za-z])/g;

export const decodeHex: Decode = (text) => join(decodeMatches(text, HEX, ofHex));

function ofHex(match: string): string | null {
  const digits = match.replace(/0x|\\x|[^0-9a-fA-F]/g, '');
  return textOfBytes(Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16)));
}
