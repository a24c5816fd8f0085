import { describe, expect, it } from 'vitest';
import type { Row } from '../data/row.ts';
import { evaluate } from './evaluate.ts';

const rows: Row[] = Array.from({ length: 60 }, (_, row) => ({
  id: `row-${row}`,
  prompt: 'x'.repeat(row < 30 ? 50 : 300),
  label: row % 3 === 0 ? 1 : 0,
  source: row < 40 ? 'one' : 'two',
  category: row < 5 ? 'rare' : 'common',
}));
const set = { id: 'set', version: null, rows, skipped: {} };
const perfect = rows.map(({ label }) => ({ score: label === 1 ? 0.9 : 0.2, isTruncated: false }));

describe('an evaluation', () => {
  it('counts rows, classes and texts that were cut', () => {
    const scores = perfect.map((score, row) => ({ ...score, isTruncated: row < 7 }));
    expect(evaluate(set, scores, 0.5, { resamples: 5 })).toMatchObject({
      ...{ rows: 60, unsafe: 20, truncated: 7 },
      metrics: { f1: { value: 1 }, fpr: { value: 0 } },
    });
  });

  it('moves with the threshold', () => {
    const { metrics } = evaluate(set, perfect, 0.95, { resamples: 5 });
    expect([metrics.recall.value, metrics.auprc.value]).toEqual([0, 1]);
  });

  it('has slices by source and length where they are large enough, and none of a single name', () => {
    const { slices } = evaluate(set, perfect, 0.5, { resamples: 5 });
    expect(slices.map(({ by, name, rows: count }) => `${by} ${name} ${count}`)).toEqual([
      'source one 40',
      'source two 20',
      'category common 55',
      'length up to 100 characters 30',
      'length up to 500 characters 30',
    ]);
    expect(slices[0]!.f1).toBe(1);
  });

  it('takes the hard label from a soft one, and refuses a row without either by its id', () => {
    const soft = [
      { id: 'a', prompt: 'x', softLabel: 0.9 },
      { id: 'b', prompt: 'y', softLabel: 0.1 },
    ];
    const scores = [{ score: 0.8 }, { score: 0.1 }];
    expect(evaluate({ ...set, rows: soft }, scores, 0.5, { resamples: 2 }).unsafe).toBe(1);
    expect(() => evaluate({ ...set, rows: [{ id: 'bare', prompt: 'x' }] }, [{ score: 0.5 }], 0.5)).toThrow(
      /"bare" has no label/,
    );
  });
});
