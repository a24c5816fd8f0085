/** The tables in typed arrays do what Map and Set would, through their growing. */
import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { mix } from './hash.ts';
import { HashIndex } from './hash-index.ts';
import { NumberStore } from './number-store.ts';
import { PairSet } from './pair-set.ts';
import { normalised, VectorIndex } from './vectors.ts';

const uniform = mulberry32(3);
const random = (below: number) => Math.floor(uniform() * below);

describe('tables', () => {
  it('give every row of a hash, the last one first', () => {
    const index = new HashIndex();
    const rows = new Map<number, number[]>();
    for (let row = 0; row < 5000; row++) {
      const hash = mix(random(2000));
      index.add(hash);
      rows.set(hash, [row, ...(rows.get(hash) ?? [])]);
    }
    for (const [hash, expected] of rows) {
      const found = [];
      for (let row = index.last(hash); row >= 0; row = index.before(row)) found.push(row);
      expect(found).toEqual(expected);
    }
    expect(index.last(mix(2001))).toBe(-1);
  });

  it('know which pairs they hold', () => {
    const set = new PairSet();
    const pairs = Array.from({ length: 4000 }, () => [mix(random(300)), random(300)] as const);
    for (const [first, second] of pairs) set.add(first, second);
    const known = new Set(pairs.map(String));
    expect(set.count).toBe(known.size);
    for (let n = 0; n < 4000; n++) {
      const pair = [mix(random(400)), random(400)] as const;
      expect(set.has(...pair)).toBe(known.has(String(pair)));
    }
    expect(set.has(0, 0)).toBe(false);
    set.add(0, 0);
    expect(set.has(0, 0)).toBe(true);
  });

  it('keep lists of numbers, beyond a block and larger than one', () => {
    const store = new NumberStore();
    const lists = Array.from({ length: 3000 }, () => Uint32Array.from({ length: random(900) }, () => random(2 ** 32)));
    const large = Uint32Array.from({ length: 1_200_000 }, (_, at) => at);
    for (const list of [...lists, large, lists[0]!]) store.add(list);
    const isSame = (n: number, list: Uint32Array) => store.at(n).every((value, at) => value === list[at]);
    for (const [n, list] of lists.entries()) expect([store.at(n).length, isSame(n, list)]).toEqual([list.length, true]);
    expect(store.at(3000).at(-1)).toBe(1_199_999);
    expect(isSame(3001, lists[0]!)).toBe(true);
    expect(store.count).toBe(3002);
  });

  it('find the first vector that points nearly the same way', () => {
    const index = new VectorIndex(0.95);
    for (const vector of [
      [1, 0, 0],
      [0, 1, 0],
      [0.99, 0.1, 0],
    ])
      index.add(normalised(Float32Array.from(vector)));
    expect(index.find(normalised(Float32Array.of(2, 0.1, 0)))).toBe(0);
    expect(index.find(normalised(Float32Array.of(1, 1, 0)))).toBe(-1);
    expect(normalised(new Float32Array(3))).toEqual(new Float32Array(3));
  });
});
