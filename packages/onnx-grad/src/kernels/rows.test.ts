import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { RowSet } from './rows.ts';

describe('RowSet', () => {
  it('lists the rows of a step once, in the order of their first appearance', () => {
    const rows = new RowSet(10, 4);
    rows.mark([7, 2, 7]);
    rows.mark(BigInt64Array.of(2n, 9n));
    expect(rows.current).toEqual([7, 2, 9]);
    expect([...rows.states]).toEqual([0, 0, 2, 0, 0, 0, 0, 2, 0, 2]);
  });

  it('remembers after a step which rows have ever had a gradient', () => {
    const rows = new RowSet(4, 4);
    rows.mark([1]);
    rows.settle();
    rows.mark([3]);
    expect(rows.current).toEqual([3]);
    expect([...rows.states]).toEqual([0, 1, 0, 2]);
  });

  it('counts no row as untouched once moments come from elsewhere', () => {
    const rows = new RowSet(3, 4);
    rows.markAllSeen();
    expect([...rows.states]).toEqual([1, 1, 1]);
  });

  it.each([-1, 10, 1.5, Number.NaN])('refuses row %d and notes nothing', (row) => {
    const rows = new RowSet(10, 4);
    expect(() => rows.mark([3, row])).toThrow(ShapeError);
    expect(rows.current).toEqual([]);
  });
});
