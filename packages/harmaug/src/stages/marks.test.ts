import { describe, expect, it } from 'vitest';
import type { Said } from '../ledger/records.ts';
import { markRow } from './marks.ts';

const said = (score: number, category: string | null = null): Said => {
  return { score, logOdds: Math.log(score / (1 - score)), category };
};
const silent: Said = { reason: 'verdict token missing' };
const marks = { boundary: 0.1, disagreement: 0.25 };

describe('a row', () => {
  it('has the mean of its verdicts, and the category of the most certain', async () => {
    const label = await markRow([said(0.9, 'S1'), said(0.8, 'S2')], undefined, marks);
    expect(label).toMatchObject({ category: 'S1', isBoundary: false, isDisputed: false, reason: null });
    expect(label.softLabel).toBeCloseTo(0.85);
    expect(label.logOdds).toBeCloseTo(Math.log(0.85 / 0.15));
    expect(label.spread).toBeCloseTo(0.1);
  });

  it('is marked near the boundary, and where teachers disagree', async () => {
    expect(await markRow([said(0.59)], undefined, marks)).toMatchObject({
      isBoundary: true,
      isDisputed: false,
      spread: null,
    });
    expect(await markRow([said(0.61)], undefined, marks)).toMatchObject({ isBoundary: false });
    expect(await markRow([said(0.9), said(0.5)], undefined, marks)).toMatchObject({
      isBoundary: false,
      isDisputed: true,
    });
  });

  it('has no label where a verdict is missing, unless fewer are enough', async () => {
    const none = await markRow([said(0.9), silent], undefined, marks);
    expect(none).toMatchObject({ softLabel: null, isBoundary: null, isDisputed: null, reason: 'too few teachers' });
    const enough = await markRow([said(0.9), silent], 1, marks);
    expect(enough.softLabel).toBeCloseTo(0.9);
    expect(await markRow([silent], undefined, marks)).toMatchObject({
      softLabel: null,
      reason: 'verdict token missing',
    });
  });
});
