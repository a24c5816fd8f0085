import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitCounts, nextAsk, wantedOf } from './cells.ts';

const cell = { wanted: 100, most: 400 };

describe('rounds', () => {
  it('ask for what is wanted, then for what is missing at the rate so far', () => {
    expect(nextAsk(cell, { asked: 0, kept: 0 })).toBe(100);
    expect(nextAsk(cell, { asked: 100, kept: 80 })).toBe(25);
    expect(nextAsk(cell, { asked: 100, kept: 100 })).toBe(0);
  });

  it('end at the limit, however little was kept', () => {
    expect(nextAsk(cell, { asked: 100, kept: 0 })).toBe(300);
    expect(nextAsk(cell, { asked: 400, kept: 3 })).toBe(0);
    const counts = fc.record({ wanted: fc.nat(1000), rate: fc.double({ min: 0, max: 1, noNaN: true }) });
    const property = fc.property(counts, ({ wanted, rate }) => {
      const own = { wanted, most: 3 * wanted };
      let [asked, kept, rounds] = [0, 0, 0];
      for (let ask = nextAsk(own, { asked, kept }); ask > 0; ask = nextAsk(own, { asked, kept })) {
        asked += ask;
        kept = Math.min(wanted, Math.floor(asked * rate));
        rounds += 1;
      }
      expect(asked).toBeLessThanOrEqual(own.most);
      expect(kept === wanted || asked === own.most).toBe(true);
      expect(rounds).toBeLessThan(30);
    });
    fc.assert(property);
  });
});

describe('what is wanted', () => {
  it('has benign ones as a share of all', () => {
    expect(wantedOf(100, 0)).toEqual([{ kind: 'harmful', wanted: 100 }]);
    expect(wantedOf(100, 0.2).map(({ wanted }) => wanted)).toEqual([100, 25]);
    expect(wantedOf(1, 0.2)).toHaveLength(1);
  });

  it('is brought down to a limit in proportion', () => {
    expect(limitCounts([100, 25, 100, 25], 20)).toEqual([8, 2, 8, 2]);
    const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 9 });
    const property = fc.property(counts, fc.nat(300), (list, limit) => {
      const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
      const lower = limitCounts(list, limit);
      expect(sum(lower)).toBe(Math.min(limit, sum(list)));
      for (const [index, count] of lower.entries()) expect(count).toBeLessThanOrEqual(list[index]!);
    });
    fc.assert(property);
  });
});
