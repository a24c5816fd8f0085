import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promptKey } from '../data/prompt-key.ts';
import type { Row } from '../data/row.ts';
import { chooseRows } from './choose.ts';

const rowsOf = (unsafe: number, safe: number): Row[] =>
  Array.from({ length: unsafe + safe }, (_, at) => ({
    id: `r${at}`,
    prompt: `text ${at}`,
    label: at < unsafe ? 1 : 0,
  }));
const unsafeOf = (rows: readonly Row[]) => rows.filter(({ label }) => label === 1).length;

describe('choosing rows', () => {
  it('takes half of each class, more of one where the other has too few, never more than there are', () => {
    const sizes = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 2, max: 150 }), fc.integer(), (unsafe, safe, count, seed) => {
        const chosen = chooseRows(rowsOf(unsafe, safe), 'rows', { count, seed });
        expect(chosen).toHaveLength(Math.min(count, unsafe + safe));
        const least = Math.min(unsafe, safe, Math.floor(count / 2));
        expect(unsafeOf(chosen)).toBeGreaterThanOrEqual(Math.min(unsafe, least));
        expect(chosen.length - unsafeOf(chosen)).toBeGreaterThanOrEqual(Math.min(safe, least));
        expect(new Set(chosen).size).toBe(chosen.length);
      }),
    );
  });

  it('is the same again from its seed, another from another, and in the order of the rows', () => {
    const rows = rowsOf(40, 40);
    const [one, again, other] = [1, 1, 2].map((seed) => chooseRows(rows, 'rows', { count: 20, seed }));
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    const places = one!.map((row) => rows.indexOf(row));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('takes a prompt once, and none that is not to be taken', () => {
    const rows = [...rowsOf(5, 5), ...rowsOf(5, 5)];
    const chosen = chooseRows(rows, 'rows', { count: 20, seed: 1, except: new Set([promptKey('text 3')]) });
    expect(chosen.map(({ prompt }) => prompt).sort()).toEqual(
      rowsOf(5, 5).flatMap(({ prompt }) => (prompt === 'text 3' ? [] : [prompt])),
    );
  });

  it('says which class has no rows, and which row has no label', () => {
    expect(() => chooseRows(rowsOf(0, 4), 'attack', { count: 2, seed: 1 })).toThrow(
      /^attack: none of the 4 rows is unsafe/,
    );
    expect(() => chooseRows([{ id: 'x', prompt: 'p' }], 'train', { count: 2, seed: 1 })).toThrow(
      /train: row "x" has neither/,
    );
  });
});
