import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';

import { NearDuplicates } from './near-duplicates.ts';
import { jaccard, shinglesOf } from './shingles.ts';

const options = { unit: 'characters', size: 5, threshold: 0.7 } as const;
const words =
  'how do i my the a tea duck prank bus hat quickly today without sister teacher window garden song cake'.split(' ');

/** Texts of which many are another one with some words changed. */
function variedTexts(count: number, seed: number): string[] {
  const uniform = mulberry32(seed);
  const pick = () => words[Math.floor(uniform() * words.length)]!;
  const texts: string[] = [];
  for (let row = 0; row < count; row++) {
    const from = row > 10 && uniform() < 0.5 ? texts[Math.floor(uniform() * row)]!.split(' ') : null;
    const own = from ?? Array.from({ length: 8 + Math.floor(uniform() * 12) }, pick);
    const changes = from === null ? 0 : Math.floor(uniform() * 4);
    for (let change = 0; change < changes; change++) own[Math.floor(uniform() * own.length)] = pick();
    texts.push(own.join(' '));
  }
  return texts;
}

describe('near-duplicates', () => {
  it('agree with an exact comparison of all pairs: none too many, at least 97 of 100 at the threshold or above', () => {
    const texts = variedTexts(1500, 7);
    const index = new NearDuplicates(options);
    const sets = texts.map((text) => shinglesOf(text, options));
    let [found, there] = [0, 0];
    for (const [row, text] of texts.entries()) {
      const sketch = index.sketch(text);
      const near = index.find(sketch);
      const isNear = sets.slice(0, row).some((set) => jaccard(set, sets[row]!) >= options.threshold);
      if (near >= 0) expect(jaccard(sets[near]!, sets[row]!)).toBeGreaterThanOrEqual(options.threshold);
      if (isNear) there += 1;
      if (near >= 0) found += 1;
      index.add(sketch);
    }
    expect(there).toBeGreaterThan(300);
    expect(found / there).toBeGreaterThanOrEqual(0.97);
  });

  it('are found by what they say, not how it is written', () => {
    const index = new NearDuplicates(options);
    expect(index.add(index.sketch('How do I prank my sister at the picnic?'))).toBe(0);
    const near = (text: string) => index.find(index.sketch(text));
    expect(near('HOW DO I PRANK MY SISTER -- at the picnic')).toBe(0);
    expect(near('How do I prank my sisters at the picnic?')).toBe(0);
    expect(near('How do I bake bread?')).toBe(-1);
  });

  it('are none of texts without words, and equal short texts are', () => {
    const index = new NearDuplicates(options);
    for (const text of ['?!', 'Hi']) index.add(index.sketch(text));
    expect(index.find(index.sketch('?!'))).toBe(-1);
    expect(index.find(index.sketch('hi'))).toBe(1);
  });
});
