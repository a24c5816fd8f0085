import { describe, expect, it } from 'vitest';
import type { Row } from '../data/row.ts';
import { isOfCategory } from './categories.ts';
import { drawExemplars, poolOf } from './exemplars.ts';

const pranks = { name: 'Pranks', description: 'jokes on others', aliases: ['S99'] };
const row = (id: string, fields: Partial<Row>): Row => ({ id, prompt: `Prank ${id}?`, label: 1, ...fields });

describe('a pool of examples', () => {
  it('has the category’s own first, of the label and length wanted, prompts before pairs', () => {
    const rows = [
      row('own', { category: 'pranks' }),
      row('alias', { category: 'S2,S99' }),
      row('other', { category: 'Rudeness' }),
      row('none', {}),
      row('safe', { label: 0, category: 'Pranks' }),
      row('pair', { response: 'No.', category: 'Pranks' }),
      row('long', { prompt: 'x'.repeat(700), category: 'Pranks' }),
      { id: 'soft', prompt: 'Soft?', softLabel: 0.8 },
    ];
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
    const harmful = poolOf(rows, 'harmful', pranks);
    expect(ids(harmful.own)).toEqual(['own', 'alias']);
    expect(ids(harmful.others)).toEqual(['other', 'none', 'soft']);
    expect(ids(poolOf(rows, 'benign', pranks).own)).toEqual(['safe']);
    expect(ids(poolOf([rows[5]!], 'harmful', pranks).own)).toEqual(['pair']);
  });

  it('knows a category by its names only', () => {
    expect(isOfCategory('S9', pranks)).toBe(false);
    expect(isOfCategory(' PRANKS ', pranks)).toBe(true);
  });
});

describe('examples', () => {
  const many = Array.from({ length: 50 }, (_, n) => ({ id: `e${n}`, prompt: `Example ${n}` }));

  it('are different ones, the same for the same words', () => {
    for (let n = 0; n < 200; n++) {
      const drawn = drawExemplars({ own: many, others: [] }, 5, `42/${n}`);
      expect(new Set(drawn.map(({ id }) => id)).size).toBe(5);
      expect(drawExemplars({ own: many, others: [] }, 5, `42/${n}`)).toEqual(drawn);
    }
  });

  it('come from the whole pool, each about as often', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 4000; n++) {
      for (const { id } of drawExemplars({ own: many, others: [] }, 5, `seed/${n}`))
        counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(counts.size).toBe(50);
    for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(100);
  });

  it('are filled up from the others, as far as there are any', () => {
    const pool = { own: many.slice(0, 2), others: many.slice(2, 4) };
    expect(
      drawExemplars(pool, 3, 'a')
        .slice(0, 2)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['e0', 'e1']);
    expect(drawExemplars(pool, 9, 'a')).toHaveLength(4);
    expect(drawExemplars(pool, 0, 'a')).toEqual([]);
  });
});
