import { describe, expect, test } from 'vitest';
import { findPoint, logSumExp, readPoint, type TokenWithAlternatives } from './read-point.ts';

const token = (text: string, top: Record<string, number | null> = {}): TokenWithAlternatives => ({
  text,
  logprob: top[text] ?? -0.1,
  top: Object.entries(top).map(([other, logprob]) => ({ text: other, logprob })),
});
const start = { after: '', positions: 'first' } as const;

describe('finding the point', () => {
  const texts = (...tokens: string[]) => tokens.map((text) => ({ text }));

  test.each([
    ['the first token', texts('safe', '\n'), '', 0],
    ['past white space and control tokens without text', texts('\n\n', '', 'safe'), '', 2],
    ['after a text of several tokens', texts('Safe', 'ty', ':', ' Safe'), 'Safety:', 3],
    ['after a text and space', texts('Safety', ':', ' ', 'Safe'), 'Safety:', 3],
    ['where the text ends in the middle of space', texts('Safety: ', 'Safe'), 'Safety:', 1],
    ['nowhere, when a token goes across', texts('Safety:S', 'afe'), 'Safety:', null],
    ['nowhere, when the text never comes', texts('Sorry'), 'Safety:', null],
    ['nowhere, when nothing follows', texts('Safety:'), 'Safety:', null],
  ])('%s', (_, tokens, after, expected) => {
    expect(findPoint(tokens, after)).toBe(expected);
  });
});

describe('reading', () => {
  const read = (tokens: TokenWithAlternatives[], candidates: string[], match: 'exact' | 'folded' = 'exact') =>
    readPoint(tokens, { point: start, candidates, match }).logprobs;

  test('takes the written token though it is not among the alternatives', () => {
    expect(read([token('safe', { unsafe: -3 })], ['safe', 'unsafe'])).toEqual([-0.1, -3]);
  });

  test('takes the first piece of a word, the longest there is', () => {
    expect(read([token('safe', { safe: -0.1, uns: -2.5, un: -4, u: -9 })], ['safe', 'unsafe'])).toEqual([-0.1, -2.5]);
  });

  test('takes no piece that could begin too many words', () => {
    expect(read([token('safe', { safe: -0.1, un: -4, u: -9 })], ['safe', 'unsafe'])).toEqual([-0.1, 'missing']);
    expect(read([token('Yes', { Yes: -0.1, N: -4 })], ['Yes', 'No'])).toEqual([-0.1, 'missing']);
  });

  test('tells letter case and other words apart', () => {
    expect(read([token('Safe', { Safe: -0.1, Safer: -1, safe: -2 })], ['safe', 'Safe'])).toEqual([-2, -0.1]);
  });

  test('adds up every spelling of a word when folded, each once', () => {
    const tokens = [token('Yes', { Yes: Math.log(0.5), ' yes': Math.log(0.25), no: Math.log(0.125) })];
    const [yes, no] = read(tokens, ['yes', 'no'], 'folded');
    expect(yes).toBeCloseTo(Math.log(0.75));
    expect(no).toBeCloseTo(Math.log(0.125));
  });

  test('adds up over every position when asked', () => {
    const tokens = [token('Yes', { yes: Math.log(0.5), no: Math.log(0.25) }), token('', { no: Math.log(0.25) })];
    const point = { after: '', positions: 'every' } as const;
    const { logprobs } = readPoint(tokens, { point, candidates: ['yes', 'no'], match: 'folded' });
    expect(logprobs[1]).toBeCloseTo(Math.log(0.5));
  });

  test('says what is no number and what is as good as missing', () => {
    expect(read([token('safe', { safe: -0.1, unsafe: null })], ['unsafe'])).toEqual(['not-a-number']);
    expect(read([token('safe', { safe: -0.1, unsafe: 7 })], ['unsafe'])).toEqual(['not-a-number']);
    expect(read([token('safe', { safe: -0.1, unsafe: -9999 })], ['unsafe'])).toEqual(['missing']);
  });

  test('says when the point was never reached', () => {
    const point = { after: 'Safety:', positions: 'first' } as const;
    const reading = readPoint([token('Hello')], { point, candidates: ['Safe'], match: 'exact' });
    expect(reading).toEqual({ isPointReached: false, logprobs: ['missing'] });
  });
});

test('logSumExp keeps large and small values', () => {
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.log(2));
  expect(logSumExp([])).toBe(-Infinity);
});
