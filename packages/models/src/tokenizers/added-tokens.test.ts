import { FormatError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { type AddedToken, createSplitter, readAddedToken } from './added-tokens.ts';

const token = (id: number, content: string, flags: Partial<AddedToken> = {}): AddedToken => {
  return { id, content, special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false, ...flags };
};

it('cuts texts at the longest token, leftmost first', () => {
  const split = createSplitter([token(1, '<a>'), token(2, '<a><b>'), token(3, '<b>')]);
  expect(split('x<a><b>y<b>')).toEqual(['x', 2, 'y', 3]);
  expect(split('<a>')).toEqual([1]);
  expect(split('')).toEqual([]);
});

it('takes pattern characters in tokens literally', () => {
  expect(createSplitter([token(1, '[.*]')])('a[.*]b[xy]')).toEqual(['a', 1, 'b[xy]']);
});

it('swallows white space on the sides a token says', () => {
  expect(createSplitter([token(1, '<m>', { lstrip: true })])('a \u3000<m> b')).toEqual(['a', 1, ' b']);
  expect(createSplitter([token(1, '<m>', { rstrip: true })])('a <m> \n<m>b')).toEqual(['a ', 1, 1, 'b']);
});

it('finds single words only between other characters', () => {
  const split = createSplitter([token(1, 'cat', { singleWord: true })]);
  expect(split('cat concat cats (cat) écat')).toEqual([1, ' concat cats (', 1, ') écat']);
});

it.each([
  [{}, 1],
  [{ content: '' }, 1],
  [{ content: 'a'.repeat(1001) }, 1],
  [{ content: 'a' }, -1],
  [{ content: 'a' }, 1.5],
  [{ content: 'a' }, 2 ** 24],
  [null, 1],
])('refuses the token %j with id %j', (value, id) => {
  expect(() => readAddedToken(value, id, 'tokenizer.json', 'added_tokens[0]')).toThrow(FormatError);
});
