import { describe, expect, it } from 'vitest';
import { countUnsafe, exports, type ScoredRow, sorted } from './scores.ts';

const row = (number: number, id: string, score: number, category?: string): ScoredRow => ({
  row: number,
  id,
  prompt: 'SECRET',
  answer: {
    score,
    verdict: 'safe',
    threshold: 0.5,
    window: { prompt: [0, 1] },
    windows: 1,
    ...(category ? { category } : {}),
  },
});
const rows = [row(1, 'a10', 0.2), row(2, 'a,"2"', 0.9, 'prank'), row(3, 'a1', 0.2)];

describe('scores of a file', () => {
  it('are ordered either way, equal ones as in the file', () => {
    const numbers = (...args: [Parameters<typeof sorted>[1], boolean]) => sorted(rows, ...args).map(({ row }) => row);
    expect(numbers('score', false)).toEqual([1, 3, 2]);
    expect(numbers('score', true)).toEqual([2, 1, 3]);
    expect(numbers('id', false)).toEqual([2, 3, 1]);
    expect(numbers('category', true)[0]).toBe(2);
    expect(numbers('row', true)).toEqual([3, 2, 1]);
  });

  it('are counted from a threshold on', () => {
    expect([0.2, 0.21, 0.9, 0.91].map((threshold) => countUnsafe(rows, threshold))).toEqual([3, 1, 1, 0]);
  });

  it('are exported with the verdict of the threshold, and without a text', () => {
    expect(exports.csv(rows, 0.9).split('\n').slice(0, 3)).toEqual([
      'row,id,score,verdict,threshold,category,view,windows',
      '1,a10,0.2,safe,0.9,,,1',
      '2,"a,""2""",0.9,unsafe,0.9,prank,,1',
    ]);
    const lines = exports.jsonl(rows, 0.9).trim().split('\n');
    expect(JSON.parse(lines[1]!)).toMatchObject({ row: 2, id: 'a,"2"', verdict: 'unsafe' });
    expect(exports.csv(rows, 0.5) + exports.jsonl(rows, 0.5)).not.toContain('SECRET');
  });
});
