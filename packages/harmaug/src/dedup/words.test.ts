import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wordsOf } from './words.ts';

it('leaves case, width, punctuation and spacing aside', () => {
  expect(wordsOf('  “Ｔea,   please?”\n')).toEqual(['tea', 'please']);
  expect(wordsOf('TEA -- please!!')).toEqual(['tea', 'please']);
  expect(wordsOf('Café au lait, 2 cups')).toEqual(['café', 'au', 'lait', '2', 'cups']);
});

it('takes the characters of scripts without spaces one by one', () => {
  expect(wordsOf('试试 ok 吗')).toEqual(['试', '试', 'ok', '吗']);
  expect(wordsOf('สวัสดี').length).toBeGreaterThan(2);
});

it('gives the same for ASCII by its short way', () => {
  const ascii = fc.string({ unit: 'binary-ascii' });
  const property = fc.property(ascii, (text) => {
    expect(wordsOf(text)).toEqual(wordsOf(`${text} é`).slice(0, -1));
  });
  fc.assert(property);
});
