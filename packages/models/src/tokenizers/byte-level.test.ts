import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byteCharacters, fromByteLevel, splitWords, toByteLevel } from './byte-level.ts';

it('writes each byte as a printable character of its own', () => {
  expect(new Set(byteCharacters).size).toBe(256);
  expect(toByteLevel(' a\n\u00ad')).toBe('ĠaĊÂŃ');
});

it('gives back any text, and added tokens as they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(fromByteLevel([toByteLevel(text)])).toBe(text);
    }),
  );
  expect(fromByteLevel(['Ġa', '  ', '你', 'Ġb'])).toBe(' a  你 b');
});

it('cuts nothing off a text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(splitWords(text).join('')).toBe(text);
    }),
  );
});

it('knows the letters and numbers of the reference, of all code points', () => {
  const counted = { letters: 0, numbers: 0 };
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (splitWords(`a${character}`).length === 1) counted.letters++;
    if (splitWords(`1${character}`).length === 1) counted.numbers++;
  }
  expect(counted).toEqual({ letters: 141_028, numbers: 1911 }); // record_tables.py
});

it.each([
  ["I'll go, they've 12 a1", ['I', "'ll", ' go', ',', ' they', "'ve", ' 12', ' a', '1']],
  ['a  b \n', ['a', ' ', ' b', ' \n']],
  ['a\u0085\u0085b\ufeffc', ['a', '\u0085', '\u0085', 'b', '\ufeff', 'c']], // white space as Unicode has it, not JavaScript
  ['a\u{10940}', ['a', '\u{10940}']], // a letter of Unicode 17
  ['1\u{11de0}', ['1', '\u{11de0}']], // a number of Unicode 17
])('cuts %j into words as GPT-2 does', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});
