import { expect, it } from 'vitest';
import { compareMargins, defaultLimits, failures } from './gate.ts';

const margins = (...values: number[]) => Float64Array.from(values);

it('counts verdicts that change, the largest difference of p, and what AUPRC loses', () => {
  const reference = margins(2, 1, -1, -2);
  const gate = compareMargins(reference, margins(2, -0.5, 0.5, -2), [1, 1, 0, 0], 0.5);
  expect(gate).toMatchObject({ texts: 4, flips: 0.5 });
  expect(gate.difference).toBeCloseTo(1 / (1 + Math.exp(-1)) - 1 / (1 + Math.exp(0.5)));
  expect(gate.auprcDrop).toBeCloseTo(1 - (1 / 2 + (1 / 2) * (2 / 3)));
  expect(failures(gate, defaultLimits)).toEqual([
    expect.stringMatching(/largest \|Δp\| 0\.354, at most 0\.2/),
    expect.stringMatching(/share of verdicts changed 0\.500, at most 0\.01/),
    expect.stringMatching(/AUPRC lost 0\.167, at most 0\.005/),
  ]);
});

it('has no AUPRC for texts without labels, of one class, or for none', () => {
  const one = margins(1, -1);
  expect(compareMargins(one, one, [null, null], 0.5).auprcDrop).toBeNull();
  expect(compareMargins(one, one, [0, 0], 0.5).auprcDrop).toBeNull();
  expect(compareMargins(one, one, [null, 1], 0.5)).toMatchObject({ difference: 0, flips: 0 });
  expect(failures(compareMargins(margins(), margins(), [], 0.5), defaultLimits)).toEqual([]);
});

it('moves with the threshold', () => {
  const [reference, other] = [margins(1.3), margins(1.5)];
  expect(compareMargins(reference, other, [1], 0.5).flips).toBe(0);
  expect(compareMargins(reference, other, [1], 0.8).flips).toBe(1);
});
