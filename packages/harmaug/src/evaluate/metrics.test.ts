import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { type MetricName, metricNames, metrics, reliability } from './metrics.ts';
import { curveOf, rank } from './ranking.ts';

interface Case {
  readonly name: string;
  readonly scores: number[];
  readonly labels: number[];
  readonly expected: Record<string, number> & { thresholds: (Record<string, number> & { threshold: number })[] };
}

const file = new URL('./fixtures/metrics-sklearn.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
const curve = (scores: number[], labels: number[]) => curveOf(rank(scores, labels));
const half = { threshold: 0.5 };

describe.each(cases)('on the rows "$name"', ({ scores, labels, expected }) => {
  const found = curve(scores, labels);

  it.each(['auprc', 'auroc', 'brier', 'ece', 'recallAt1Fpr', 'recallAt5Fpr'] as const)(
    '%s is scikit-learn’s',
    (name) => {
      expect(metrics[name](found, half)).toBeCloseTo(expected[name]!, 9);
    },
  );

  it('f1, precision, recall and fpr are scikit-learn’s at every threshold', () => {
    for (const { threshold, ...figures } of expected.thresholds) {
      for (const [name, figure] of Object.entries(figures)) {
        expect(metrics[name as MetricName](found, { threshold })).toBeCloseTo(figure, 9);
      }
    }
  });
});

describe('metrics', () => {
  it('have a meaning only where the set gives them one', () => {
    const meaningful = (labels: number[]) => {
      const found = curve(
        labels.map((_, row) => row / 10),
        labels,
      ); // prettier than random
      return metricNames.filter((name) => metrics[name](found, half) !== null);
    };
    expect(meaningful([])).toEqual([]);
    expect(meaningful([1, 1, 1])).toEqual(['recall']);
    expect(meaningful([0, 0, 0])).toEqual(['fpr']);
    expect(meaningful([0, 1])).toEqual(metricNames);
  });

  it('refuse scores that are no numbers and labels that are none, naming the row', () => {
    expect(() => rank([0.1, Number.NaN], [0, 1])).toThrow('Row 1: the score is not a number.');
    expect(() => rank([0.1, 0.2], [0, 2])).toThrow('Row 1: expected the label 0 or 1, got 2.');
    expect(() => rank([0.1], [0, 1])).toThrow(ConfigError);
  });

  it('take infinite log-odds as scores', () => {
    expect(metrics.auroc(curve([-Infinity, 0, Infinity, Infinity], [0, 0, 1, 1]), half)).toBe(1);
  });

  it('do not depend on the order of rows, nor, where only the order of scores counts, on their scale', () => {
    const row = fc.record({ score: fc.integer({ min: 0, max: 20 }), label: fc.integer({ min: 0, max: 1 }) });
    const property = fc.property(fc.array(row, { minLength: 2 }), fc.integer({ min: 1, max: 1000 }), (rows, shift) => {
      const [scores, labels] = [rows.map(({ score }) => score / 20), rows.map(({ label }) => label)];
      const turned = curve(scores.toReversed(), labels.toReversed());
      const monotone = curve(
        scores.map((score) => score ** 3 + shift),
        labels,
      );
      for (const name of metricNames)
        expect(metrics[name](turned, half)).toBe(metrics[name](curve(scores, labels), half));
      for (const name of ['auprc', 'auroc', 'recallAt1Fpr'] as const) {
        expect(metrics[name](monotone, half)).toBe(metrics[name](curve(scores, labels), half));
      }
    });
    fc.assert(property);
  });

  it('count a row of weight 2 as the row twice', () => {
    const [scores, labels] = [
      [0.1, 0.4, 0.4, 0.9],
      [0, 1, 0, 1],
    ];
    const weighted = curveOf(rank(scores, labels), [1, 2, 0, 1]);
    const repeated = curve([0.1, 0.4, 0.4, 0.9], [0, 1, 1, 1]);
    for (const name of metricNames) expect(metrics[name](weighted, half)).toBe(metrics[name](repeated, half));
  });

  it('turn precision down where unsafe rows are rare', () => {
    const found = curve([0.9, 0.9, 0.1, 0.1], [1, 0, 1, 0]); // recall 1/2, fpr 1/2
    expect(metrics.precisionAt1(found, half)).toBeCloseTo(0.01);
    expect(metrics.precisionAt7(found, half)).toBeCloseTo(0.07);
    expect(metrics.precisionAt7(curve([0.9, 0.1], [1, 0]), half)).toBe(1);
  });

  it('show reliability by bins that hold rows', () => {
    expect(reliability(curve([0.05, 0.06, 0.95], [0, 1, 1]), 10)).toEqual([
      { count: 2, meanScore: 0.055, unsafeShare: 0.5 },
      { count: 1, meanScore: 0.95, unsafeShare: 1 },
    ]);
  });
});
