import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { holm } from './holm.ts';

const { cases } = JSON.parse(readFileSync(new URL('./fixtures/holm-statsmodels.json', import.meta.url), 'utf8')) as {
  cases: { p: number[]; adjusted: number[] }[];
};

describe('p-values corrected by Holm', () => {
  it.each(cases)('are those of statsmodels: $p.length of them', ({ p, adjusted }) => {
    holm(p).forEach((value, index) => {
      expect(value).toBeCloseTo(adjusted[index]!, 12);
    });
  });

  it('count no test that could not be made', () => {
    expect(holm([0.02, null, 0.03])).toEqual([0.04, null, 0.04]);
    expect(holm([])).toEqual([]);
  });
});
