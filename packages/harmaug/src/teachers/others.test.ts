import { describe, expect, test } from 'vitest';
import type { Score, Scorer } from '../scoring/scorer.ts';
import { averageTeachers } from './average.ts';
import { createClassifierTeacher } from './classifier.node.ts';
import { readVerdict } from './openai-moderation.ts';
import type { Teacher } from './teacher.ts';
import { abstain, type Verdict } from './verdict.ts';

const usage = { promptTokens: 1, completionTokens: 1 };
const scored = (logOdds: number, category: string | null = null): Verdict => ({
  kind: 'scored',
  score: 1 / (1 + Math.exp(-logOdds)),
  logOdds,
  category,
  usage,
});
const teacher = (verdict: Verdict): Teacher => ({
  name: 't',
  about: { teacher: 't' },
  concurrency: 8,
  judge: async () => verdict,
  dispose: async () => {},
});
const row = { id: 'row-1', prompt: 'Hello' };

describe('several teachers', () => {
  test('give the mean of their probabilities, the category of the most certain, and all their usage', async () => {
    const mean = averageTeachers([teacher(scored(0)), teacher(scored(Math.log(9), 'S1'))]);
    const verdict = await mean.judge(row);
    expect(verdict).toMatchObject({ kind: 'scored', category: 'S1', usage: { promptTokens: 2 } });
    expect(verdict.kind === 'scored' && verdict.score).toBeCloseTo(0.7);
    expect(verdict.kind === 'scored' && verdict.logOdds).toBeCloseTo(Math.log(0.7 / 0.3));
  });

  test('keep order where all are certain', async () => {
    const of = async (logOdds: number) => {
      const verdict = await averageTeachers([teacher(scored(logOdds)), teacher(scored(logOdds))]).judge(row);
      return verdict.kind === 'scored' ? verdict.logOdds : expect.unreachable();
    };
    expect(await of(60)).toBeGreaterThan(await of(50));
    expect(await of(50)).toBeCloseTo(50);
  });

  test('say nothing where one says nothing, unless fewer are enough', async () => {
    const some = [teacher(scored(1)), teacher(abstain('verdict token missing'))];
    expect(await averageTeachers(some).judge(row)).toMatchObject({ kind: 'abstained', reason: 'too few teachers' });
    expect(await averageTeachers(some, { minimum: 1 }).judge(row)).toMatchObject({
      kind: 'scored',
      logOdds: expect.closeTo(1),
    });
  });
});

describe('a moderation', () => {
  const body = (scores: object) => JSON.stringify({ results: [{ flagged: true, category_scores: scores }] });

  test('is the highest score and its category', () => {
    expect(readVerdict(body({ harassment: 0.75, violence: 0.2 }))).toMatchObject({
      score: 0.75,
      category: 'harassment',
    });
    const calm = readVerdict(body({ harassment: 0.1, violence: 0.2 }));
    expect(calm).toMatchObject({ score: 0.2, category: null });
    expect(calm.kind === 'scored' && calm.logOdds).toBeCloseTo(Math.log(0.25));
  });

  test('without scores, or with some that are none, is no verdict', () => {
    expect(readVerdict(body({}))).toMatchObject({ reason: 'no verdict' });
    expect(readVerdict('{"results":[{"category_scores":{"a":NaN}}]}')).toMatchObject({
      reason: 'probability is no number',
    });
    expect(() => readVerdict('{"results":[]}')).toThrow(/not the result of a moderation/);
  });
});

describe('a classifier', () => {
  const scorer = (score: Scorer<Score>['score']): Scorer<Score> => ({
    name: 'guard',
    about: { kind: 'encoder', weights: null },
    threshold: 0.5,
    score,
    dispose: async () => {},
  });

  test('computes the calls of one moment together', async () => {
    const batches: number[] = [];
    const guard = createClassifierTeacher(
      scorer(async (rows) => {
        batches.push(rows.length);
        return rows.map(({ id }) => ({ score: 0.5, margin: Number(id) }));
      }),
    );
    const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => guard.judge({ ...row, id: String(i) })));
    expect(batches).toEqual([64, 36]);
    expect(verdicts.map((verdict) => verdict.kind === 'scored' && verdict.logOdds)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  test('says nothing of a text that it did not read to the end', async () => {
    const guard = createClassifierTeacher(scorer(async () => [{ score: 0.1, margin: -2, isTruncated: true }]));
    expect(await guard.judge(row)).toMatchObject({ kind: 'abstained', reason: 'text too long' });
  });

  test('passes its failure on to every call', async () => {
    const broken = createClassifierTeacher(scorer(() => Promise.reject(new Error('broken'))));
    for (const call of [broken.judge(row), broken.judge(row)]) await expect(call).rejects.toThrow('broken');
  });
});
