import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { expand } from './grammar.ts';

const lists = { pet: ['an old {animal}'], animal: ['cat', 'owl'] };

describe('expand', () => {
  it('fills holes within holes, and the same draws fill them alike', () => {
    const texts = Array.from({ length: 30 }, (_, seed) => expand('(wash|feed) {pet}', lists, mulberry32(seed)));
    const all = ['feed an old cat', 'feed an old owl', 'wash an old cat', 'wash an old owl'];
    expect([...new Set(texts)].sort()).toEqual(all);
    expect(expand('(wash|feed) {pet}', lists, mulberry32(3))).toBe(texts[3]);
  });

  it('says a or an as the word behind it wants', () => {
    const first = () => 0.99;
    expect(expand('a {animal}, a cat, a one-off, a unit, a unusual case', lists, first)).toBe(
      'an owl, a cat, a one-off, a unit, an unusual case',
    );
  });

  it('leaves brackets without a choice, and names a list that is not there', () => {
    expect(expand('go (now)', lists, Math.random)).toBe('go (now)');
    expect(() => expand('go {where}', lists, Math.random)).toThrow('there is no list "where"');
  });
});
