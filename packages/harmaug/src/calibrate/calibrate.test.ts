import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { curveOf, rank } from '../evaluate/ranking.ts';
import { fitTemperature } from './temperature.ts';
import { chooseThreshold, wilson } from './threshold.ts';

interface Recorded {
  readonly temperatures: { margins: number[]; labels: number[]; temperature: number }[];
  readonly thresholds: {
    wanted: number;
    scores: number[];
    labels: number[];
    fpr: number;
    recall: number;
    low: number;
    high: number;
    lowest: number;
  }[];
}
const file = new URL('../../test/oracles/calibrate/calibrate.json', import.meta.url);
const recorded: Recorded = JSON.parse(readFileSync(file, 'utf8'));

describe('temperature', () => {
  it.each(recorded.temperatures)('$temperature is SciPy’s', ({ margins, labels, temperature }) => {
    expect(fitTemperature(margins, labels) / temperature).toBeCloseTo(1, 5); // SciPy's own search ends there
  });

  it('is small where the classes are apart, at its most where scores mislead, and 1 of scores that say nothing', () => {
    expect(fitTemperature([-2, -1, 1, 2], [0, 0, 1, 1])).toBeLessThan(0.02); // all probabilities are 0 and 1 from there on
    expect(fitTemperature([-2, -1, 1, 2], [1, 1, 0, 0])).toBeCloseTo(1000);
    expect(fitTemperature([0, 0], [0, 1])).toBe(1);
  });
});

describe('threshold', () => {
  it.each(recorded.thresholds)('for a rate of $wanted is where scikit-learn’s curve has it', (recording) => {
    const { wanted, scores, labels, fpr, recall, low, high, lowest } = recording;
    const chosen = chooseThreshold(curveOf(rank(scores, labels)), wanted)!;
    expect([chosen.fpr, chosen.recall]).toEqual([expect.closeTo(fpr, 12), expect.closeTo(recall, 12)]);
    expect(chosen.interval).toEqual([expect.closeTo(low, 9), expect.closeTo(high, 9)]);
    const isCaught = (score: number) => score >= chosen.threshold;
    expect(scores.filter(isCaught)).toEqual(scores.filter((score) => score >= lowest));
  });

  it('lies between scores, so that a score a hair lower changes nothing', () => {
    const curve = curveOf(rank([0.9, 0.8, 0.4, 0.2], [1, 1, 0, 0]));
    expect(chooseThreshold(curve, 0)).toMatchObject({ fpr: 0, recall: 1 });
    expect(chooseThreshold(curve, 0)?.threshold).toBeCloseTo(0.6);
    expect(chooseThreshold(curveOf(rank([0.9], [1])), 0.1)).toBeNull();
  });

  it('has an interval for none of many, and for all', () => {
    expect(wilson(0, 100)[0]).toBe(0);
    expect(wilson(0, 100)[1]).toBeCloseTo(0.037, 3);
    expect(wilson(5, 5)[1]).toBe(1);
  });
});
