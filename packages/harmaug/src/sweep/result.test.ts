import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { compare } from '../evaluate/bootstrap.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { rank } from '../evaluate/ranking.ts';
import { compareSettings, resamplesFor, type ScoredCell, summarizeSettings } from './result.ts';

const RESAMPLES = 200;
const labels = Array.from({ length: 120 }, (_, row) => (row % 3 === 0 ? 1 : 0) as 0 | 1);

/** Scores that tell the classes apart the better, the larger the gap. */
function cellOf(setting: string, seed: number, gap: number, sets = ['one', 'two', 'safe']): ScoredCell {
  const uniform = mulberry32(1000 * seed + Math.round(100 * gap));
  const found = sets.map((id) => {
    const own = id === 'safe' ? labels.map(() => 0 as const) : labels;
    const scores = own.map((label) => ({ score: 0.7 * uniform() + gap * label }));
    const rows = own.map((label, row) => ({ id: `${row}`, prompt: 'x', label }));
    const evaluation = evaluate({ id, version: null, rows, skipped: {} }, scores, 0.5, { resamples: 2 });
    return {
      evaluation,
      ranking: rank(
        scores.map(({ score }) => score),
        own,
      ),
    };
  });
  const [evaluations, rankings] = [found.map(({ evaluation }) => evaluation), found.map(({ ranking }) => ranking)];
  return { setting, seed, evaluations, rankings };
}

describe('a summary of settings', () => {
  it('has mean and deviation over seeds for each set, and for the mean of those with both classes', () => {
    const cells = [cellOf('a', 1, 0.1), cellOf('a', 2, 0.1), cellOf('a', 3, 0.1)];
    const rows = summarizeSettings(['a', 'none yet'], cells);
    expect(new Set(rows.map(({ set }) => set))).toEqual(new Set(['one', 'two', 'safe', 'mean']));
    expect(new Set(rows.map(({ setting, n }) => `${setting}${n}`))).toEqual(new Set(['a3']));
    const auprc = (set: number) => cells.map(({ evaluations }) => evaluations[set]!.metrics.auprc.value!);
    const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const find = (set: string) => rows.find((row) => row.set === set && row.metric === 'auprc')!;
    expect(find('one').mean).toBeCloseTo(mean(auprc(0)), 12);
    const both = auprc(0).map((value, seed) => (value + auprc(1)[seed]!) / 2);
    expect(find('mean').mean).toBeCloseTo(mean(both), 12);
    const squares = both.map((value) => (value - mean(both)) ** 2);
    expect(find('mean').std).toBeCloseTo(Math.sqrt((squares[0]! + squares[1]! + squares[2]!) / 2), 12);
    expect(find('safe').mean).toBeNull();
    const fpr = rows.find((row) => row.set === 'mean' && row.metric === 'fpr')!;
    const twoClass = cells.map(
      ({ evaluations: [one, two] }) => (one!.metrics.fpr.value! + two!.metrics.fpr.value!) / 2,
    );
    expect(fpr.mean).toBeCloseTo(mean(twoClass), 12);
  });
});

describe('comparisons with the baseline', () => {
  const options = { resamples: RESAMPLES };

  it('of one seed and one set are those of the paired test of two guards', () => {
    const [ours, theirs] = [cellOf('b', 1, 0.3, ['one']), cellOf('a', 1, 0.1, ['one'])];
    const found = compareSettings(['a', 'b'], 'a', [ours, theirs], options);
    const at = { threshold: 0.5 };
    for (const metric of ['auprc', 'f1'] as const) {
      const { value, low, high, pValue } = compare(ours.rankings[0]!, theirs.rankings[0]!, metric, [at, at], options);
      const row = found.find((one) => one.metric === metric)!;
      expect(row).toMatchObject({
        setting: 'b',
        set: 'one',
        difference: value,
        interval: [low, high],
        p: pValue,
        n: 1,
      });
    }
    expect(found).toHaveLength(2);
  });

  it('average the seeds, see a real difference and none between equals, and are corrected for their number', () => {
    const cells = [1, 2, 3].flatMap((seed) => [
      cellOf('base', seed, 0.1),
      cellOf('better', seed, 0.4),
      { ...cellOf('base', seed, 0.1), setting: 'same' },
    ]);
    const found = compareSettings(['base', 'better', 'same'], 'base', cells, options);
    expect(found.map(({ set }) => set).filter((set) => set === 'safe')).toEqual([]);
    expect(found).toHaveLength(2 * 2 * 3); // settings, metrics, two sets and their mean
    const find = (setting: string, set: string) =>
      found.find((row) => row.setting === setting && row.set === set && row.metric === 'auprc')!;
    const means = [0, 1].map((set) => {
      const of = (setting: string) =>
        cells
          .filter((cell) => cell.setting === setting)
          .reduce((sum, { evaluations }) => sum + evaluations[set]!.metrics.auprc.value! / 3, 0);
      return of('better') - of('base');
    });
    expect(find('better', 'mean').difference).toBeCloseTo((means[0]! + means[1]!) / 2, 12);
    expect(find('better', 'one').difference).toBeCloseTo(means[0]!, 12);
    expect(find('better', 'mean').p).toBeCloseTo(2 / (RESAMPLES + 1), 12);
    expect(find('better', 'mean').pAdjusted!).toBeGreaterThan(find('better', 'mean').p!);
    expect(find('better', 'mean').pAdjusted!).toBeLessThanOrEqual(12 * find('better', 'mean').p!);
    expect(find('same', 'mean')).toMatchObject({ difference: 0, interval: [0, 0], p: 1, pAdjusted: 1, n: 3 });
  });

  it('use the seeds that both have, and say nothing where there are none', () => {
    const cells = [cellOf('a', 1, 0.1), cellOf('a', 2, 0.1), cellOf('b', 2, 0.4), cellOf('c', 3, 0.4)];
    const found = compareSettings(['a', 'b', 'c'], 'a', cells, options);
    const [b, c] = ['b', 'c'].map((setting) => found.find((row) => row.setting === setting)!);
    const difference = cells[2]!.evaluations[0]!.metrics.auprc.value! - cells[1]!.evaluations[0]!.metrics.auprc.value!;
    expect(b).toMatchObject({ n: 1, difference: expect.closeTo(difference, 12) });
    expect(c).toMatchObject({ n: 0, difference: null, p: null, pAdjusted: null });
  });

  it('take resamples enough for the smallest p-value to count among so many', () => {
    expect([resamplesFor(2, 1, 1000), resamplesFor(4, 3, 1000), resamplesFor(200, 6, 1000)]).toEqual([
      1000, 2400, 20_000,
    ]);
    const [settings, sets] = [10, 4];
    const comparisons = (settings - 1) * 2 * (sets + 1);
    expect((comparisons * 2) / (resamplesFor(settings, sets, 1) + 1)).toBeLessThan(0.05);
  });
});
