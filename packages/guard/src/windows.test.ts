import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutWindows } from './windows.ts';

/** Words are one token for each four characters; signs outside ASCII are one for each byte, as byte-level tokenizers have it. */
function tokenize(text: string): number[] {
  return text.split(/\s+/).flatMap((word) => {
    const bytes = new TextEncoder().encode(word);
    const isPlain = bytes.length === word.length;
    return [...bytes].filter((_, index) => !isPlain || index % 4 === 0);
  });
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 600 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.lorem({ maxCount: 200 }),
  fc.string({ unit: fc.constantFrom('a', '漢', '😀', ' ', '\n', '\ud800', '\udc00'), maxLength: 800 }),
  fc.base64String({ minLength: 200, maxLength: 2000 }),
);
const isHigh = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number) => code >= 0xdc00 && code <= 0xdfff;

describe('windows', () => {
  it('hold every character, in order, within the budget, and are tokens of exactly their place', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 8, max: 64 }), (text, budget) => {
        const windows = cutWindows(tokenize, text, budget);
        expect(windows[0]!.begin).toBe(0);
        expect(windows.at(-1)!.end).toBe(text.length);
        windows.forEach(({ begin, end, ids }, index) => {
          expect(ids.length).toBeLessThanOrEqual(budget);
          expect(ids).toEqual(tokenize(text.slice(begin, end)));
          for (const at of [begin, end]) {
            expect(isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at))).toBe(false);
          }
          const last = windows[index - 1];
          if (last) expect(begin <= last.end && begin > last.begin && end > last.end).toBe(true);
        });
      }),
    );
  });

  it('are one where the text fits, tokenised as a whole', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const ids = tokenize(text);
        expect(cutWindows(tokenize, text, Math.max(8, ids.length))).toEqual([{ begin: 0, end: text.length, ids }]);
      }),
    );
  });

  it('overlap by a sixth and more, so that what is shorter lies whole in one of them', () => {
    const words = Array.from({ length: 3000 }, (_, index) => `w${index}`);
    const windows = cutWindows(tokenize, words.join(' '), 100);
    const text = words.join(' ');
    for (let first = 0; first + 8 < words.length; first += 3) {
      const planted = words.slice(first, first + 8).join(' ');
      expect(windows.some(({ begin, end }) => text.slice(begin, end).includes(planted))).toBe(true);
    }
  });

  it.each([
    ['English', 'what a lovely plan '],
    ['base64', 'QmFzZTY0'],
    ['CJK', '漢字'],
    ['emoji', '😀'],
    ['white space', ' \n'],
  ])('of long %s: number and work grow with the length alone', (_, unit) => {
    const measure = (length: number) => {
      let seen = 0;
      const counted = (text: string) => {
        seen += text.length;
        return tokenize(text);
      };
      const count = cutWindows(counted, unit.repeat(length / unit.length), 128).length;
      return { count, seen };
    };
    const [one, ten] = [measure(40_000), measure(400_000)];
    expect(ten.count).toBeLessThanOrEqual(10 * one.count + 10);
    expect(ten.seen).toBeLessThanOrEqual(11 * one.seen);
    const tokens = tokenize(unit.repeat(40_000 / unit.length)).length;
    expect(one.count).toBeLessThanOrEqual(1 + (2 * tokens) / 128);
  });

  it('divide the tokens of one character that has more than fit', () => {
    const many = (text: string) => Array.from({ length: 20 * text.length }, (_, index) => index);
    expect(cutWindows(many, 'x', 8).map(({ begin, end, ids }) => [begin, end, ids.length])).toEqual([
      [0, 1, 8],
      [0, 1, 8],
      [0, 1, 4],
    ]);
  });
});
