import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNear, jaccard, shinglesOf } from './shingles.ts';
import { wordsOf } from './words.ts';

const characters = { unit: 'characters', size: 3 } as const;

/** Of the pieces themselves. */
function exact(a: string, b: string, pieces: (text: string) => readonly string[]): number {
  const [one, other] = [new Set(pieces(a)), new Set(pieces(b))];
  const both = [...one].filter((piece) => other.has(piece)).length;
  const either = one.size + other.size - both;
  return either === 0 ? 0 : both / either;
}

const charactersOf = (size: number) => (text: string) => {
  const whole = wordsOf(text).join(' ');
  if (whole === '') return [];
  const count = Math.max(1, whole.length - size + 1);
  return Array.from({ length: count }, (_, at) => whole.slice(at, at + size));
};
const wordsOfSize = (size: number) => (text: string) => {
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const count = Math.max(1, words.length - size + 1);
  return Array.from({ length: count }, (_, at) => words.slice(at, at + size).join(' '));
};

describe('Jaccard similarity of hashed pieces', () => {
  const words = fc.array(fc.constantFrom('tea', 'duck', 'prank', 'bus', 'hat', 'a'), { maxLength: 12 });
  const text = words.map((list) => list.join(' '));

  it.each([1, 3, 5])('equals that of the pieces, %d characters each', (size) => {
    const options = { unit: 'characters', size } as const;
    fc.assert(
      fc.property(text, text, (a, b) => {
        const found = jaccard(shinglesOf(a, options), shinglesOf(b, options));
        expect(found).toBeCloseTo(exact(a, b, charactersOf(size)), 12);
      }),
    );
  });

  it.each([1, 2, 3])('equals that of the pieces, %d words each', (size) => {
    const options = { unit: 'words', size } as const;
    fc.assert(
      fc.property(text, text, (a, b) => {
        const found = jaccard(shinglesOf(a, options), shinglesOf(b, options));
        expect(found).toBeCloseTo(exact(a, b, wordsOfSize(size)), 12);
      }),
    );
  });

  it('is at least the threshold exactly where the quick comparison says so', () => {
    const sets = fc.uniqueArray(fc.nat(40)).map((list) => Uint32Array.from(list).sort());
    const threshold = fc.constantFrom(0.1, 0.25, 1 / 3, 0.5, 0.7, 0.8, 1);
    const property = fc.property(sets, sets, threshold, (a, b, t) => {
      expect(isNear(a, b, t)).toBe(jaccard(a, b) >= t - 1e-12 && a.length + b.length > 0);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('is 1 for texts that differ in case and signs, 0 for those without words', () => {
    expect(jaccard(shinglesOf('How do I?', characters), shinglesOf('how DO i', characters))).toBe(1);
    expect(jaccard(shinglesOf('?!', characters), shinglesOf('?!', characters))).toBe(0);
    expect(shinglesOf('ab', characters)).toHaveLength(1);
  });
});
