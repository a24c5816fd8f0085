import { describe, expect, test } from 'vitest';
import type { CandidateLogprob, NextTokens } from '../providers/provider.ts';
import { verdictOf } from './verdict.ts';

const found = (logprobs: CandidateLogprob[], isPointReached = true): NextTokens => ({
  logprobs,
  isPointReached,
  text: '',
  usage: { promptTokens: 5, completionTokens: 1 },
});
const two = { unsafe: [0], safe: [1] };

describe('a verdict', () => {
  test('is the softmax over the verdict tokens alone', () => {
    const verdict = verdictOf(found([Math.log(0.3), Math.log(0.1)]), two, null);
    expect(verdict).toMatchObject({ kind: 'scored', usage: { promptTokens: 5 } });
    expect(verdict.kind === 'scored' && verdict.score).toBeCloseTo(0.75);
  });

  test('keeps its log-odds where the probability is 1', () => {
    const [a, b] = [-1e-9, -2e-9].map((own) => verdictOf(found([own, own * 1e10 - 40]), two, null));
    if (a!.kind !== 'scored' || b!.kind !== 'scored') return expect.unreachable();
    expect([a!.score, b!.score]).toEqual([1, 1]);
    expect(b!.logOdds).toBeGreaterThan(a!.logOdds);
  });

  test('adds up the tokens of a side', () => {
    const logprobs = [0.2, 0.3, 0.5].map(Math.log);
    const score = (sides: { unsafe: number[]; safe: number[] }) => {
      const verdict = verdictOf(found(logprobs), sides, null);
      return verdict.kind === 'scored' ? verdict.score : expect.unreachable();
    };
    expect(score({ unsafe: [0, 1], safe: [2] })).toBeCloseTo(0.5);
    expect(score({ unsafe: [0], safe: [1, 2] })).toBeCloseTo(0.2);
  });

  test.each([
    [found([-1, 'missing']), 'verdict token missing'],
    [found(['missing', -1]), 'verdict token missing'],
    [found([-1, 'not-a-number']), 'probability is no number'],
    [found(['missing', 'missing'], false), 'no verdict'],
  ])('is none where a token has no number', (tokens, reason) => {
    expect(verdictOf(tokens, two, null)).toMatchObject({ kind: 'abstained', reason });
  });
});
