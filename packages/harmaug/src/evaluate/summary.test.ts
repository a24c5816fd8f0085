import { describe, expect, it } from 'vitest';
import { type Evaluation, evaluate } from './evaluate.ts';
import { meanStd, summarize } from './summary.ts';

describe('mean and deviation', () => {
  it('are those of the sample', () => {
    expect(meanStd([1, 2, 3, 4])).toEqual({ mean: 2.5, std: Math.sqrt(5 / 3) });
    expect(meanStd([0.5])).toEqual({ mean: 0.5, std: null });
  });

  it('have no meaning where a value has none', () => {
    expect(meanStd([0.5, null])).toEqual({ mean: null, std: null });
    expect(meanStd([])).toEqual({ mean: null, std: null });
  });
});

describe('a summary', () => {
  const evaluationOf = (id: string, labels: (0 | 1)[], scores: number[]): Evaluation => {
    const rows = labels.map((label, row) => ({ id: `${row}`, prompt: 'x', label }));
    return evaluate(
      { id, version: null, rows, skipped: {} },
      scores.map((score) => ({ score })),
      0.5,
      { resamples: 2 },
    );
  };
  const good = [evaluationOf('both', [1, 0, 1], [0.9, 0.1, 0.8]), evaluationOf('safe', [0, 0], [0.1, 0.2])];
  const worse = [evaluationOf('both', [1, 0, 1], [0.9, 0.8, 0.1]), evaluationOf('safe', [0, 0], [0.1, 0.9])];

  it('is over guards for each set, and over sets where the metric has a meaning', () => {
    const [both, safe, mean] = summarize([good, worse]);
    expect(both!.metrics.recall).toEqual({ mean: 0.75, std: Math.sqrt(0.125) });
    expect(safe!.metrics.fpr).toEqual({ mean: 0.25, std: Math.sqrt(0.125) });
    expect(safe!.metrics.auprc.mean).toBeNull();
    expect(mean!.set).toBe('mean');
    expect(mean!.metrics.auprc).toEqual(both!.metrics.auprc);
    expect(mean!.metrics.fpr.mean).toBeCloseTo((0 + (1 + 0.5) / 2) / 2);
  });

  it('of one guard has no deviation', () => {
    expect(summarize([good])[0]!.metrics.f1).toEqual({ mean: 1, std: null });
  });
});
