import { describe, expect, it } from 'vitest';
import { cutWords, joinWords, without } from './words.ts';

const wordsOf = (text: string) => cutWords(text).map(({ begin, end }) => text.slice(begin, end));

describe('cutWords', () => {
  it('keeps punctuation with the word it clings to', () => {
    expect(wordsOf('  "Hello, you" — (really)!  Don’t. ')).toEqual(['"Hello,', 'you"', '—', '(really)!', 'Don’t.']);
  });

  it('cuts scripts without spaces, and leaves no visible character out', () => {
    const text = '我喜欢蛋糕。 안녕 😀😀 x_y';
    expect(wordsOf(text).length).toBeGreaterThan(4);
    expect(wordsOf(text).join('')).toBe(text.replaceAll(' ', ''));
  });

  it('finds none in nothing', () => {
    expect([wordsOf(''), wordsOf(' \n ')]).toEqual([[], []]);
  });
});

describe('joinWords', () => {
  it.each([
    [7, 96, 7],
    [96, 96, 96],
    [97, 96, 49],
    [5000, 96, 95],
  ])('makes %i words at most %i groups: %i', (count, most, expected) => {
    const words = Array.from({ length: count }, (_, index) => ({ begin: 2 * index, end: 2 * index + 1 }));
    const joined = joinWords(words, most);
    expect(joined).toHaveLength(expected);
    expect([joined[0]!.begin, joined.at(-1)!.end]).toEqual([0, 2 * count - 1]);
  });
});

describe('without', () => {
  const text = 'a bc  d';
  it.each([
    [0, 1, 'bc  d'],
    [2, 4, 'a d'],
    [6, 7, 'a bc'],
    [0, 7, ''],
  ])('leaves %i to %i out', (begin, end, rest) => {
    expect(without(text, { begin, end })).toBe(rest);
  });
});
