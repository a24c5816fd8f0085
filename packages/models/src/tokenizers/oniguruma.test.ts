import { expect, it } from 'vitest';
import { translatePattern } from './oniguruma.ts';

const cut = (pattern: string, text: string) => text.match(translatePattern(pattern));

it('spells out contractions in either case, with the letters that fold to them', () => {
  expect(cut("(?i:'s|'re)", "it'S we'rE its'ſ")).toEqual(["'S", "'rE", "'ſ"]);
});

it('has white space as Unicode has it: U+0085 is one, U+FEFF is none', () => {
  expect(cut('\\s+', 'a\u0085\u2028b\ufeffc')).toEqual(['\u0085\u2028']);
  expect(cut('\\S+', 'a\u0085b\ufeffc')).toEqual(['a', 'b\ufeffc']);
  expect(cut('[^\\s\\p{L}]+', 'a\u0085,\ufeffb')).toEqual([',\ufeff']);
});

it('knows no letters younger than the reference does', () => {
  expect(cut('\\p{L}+', 'a\u{16EA0}b')).toEqual(['a', 'b']); // Unicode 17
});

it('leaves an escaped backslash before a letter alone', () => {
  expect(cut('\\\\s', 'a\\s \\t')).toEqual(['\\s']);
});

it('refuses what has no counterpart', () => {
  expect(() => translatePattern('(?<=a')).toThrow(SyntaxError);
});
