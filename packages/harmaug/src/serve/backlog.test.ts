import { describe, expect, it } from 'vitest';
import { Backlog } from './backlog.ts';

const entry = (sizeBytes: number, sinceMs = 0) => ({ sizeBytes, sinceMs });
const sizes = (group: readonly { sizeBytes: number }[]) => group.map(({ sizeBytes }) => sizeBytes);

describe('Backlog', () => {
  it('takes all of a request or none', () => {
    const backlog = new Backlog(3);
    expect(backlog.push([entry(1), entry(1)])).toBe(true);
    expect(backlog.push([entry(1), entry(1)])).toBe(false);
    expect(backlog.size).toBe(2);
    expect(backlog.push([entry(1)])).toBe(true);
  });

  it('gives the oldest first, with those of its length behind it', () => {
    const backlog = new Backlog(10);
    backlog.push([400, 2000, 450, 30, 350].map((size) => entry(size)));
    expect(sizes(backlog.takeGroup())).toEqual([400, 450, 350]);
    expect(sizes(backlog.takeGroup())).toEqual([2000]);
    expect(sizes(backlog.takeGroup())).toEqual([30]);
    expect(backlog.takeGroup()).toEqual([]);
  });

  it('ends a group where its padded size would be more than a batch', () => {
    const backlog = new Backlog(100);
    backlog.push(Array.from({ length: 100 }, () => entry(1000)));
    expect(backlog.takeGroup()).toHaveLength(4);
    const long = new Backlog(2);
    long.push([entry(1_000_000), entry(1_000_000)]);
    expect(long.takeGroup()).toHaveLength(1);
  });

  it('counts very short texts as long enough to be together', () => {
    const backlog = new Backlog(10);
    backlog.push([1, 60, 20].map((size) => entry(size)));
    expect(backlog.takeGroup()).toHaveLength(3);
  });

  it('says how long the oldest has waited, and lets go of what is not wanted', () => {
    const backlog = new Backlog<ReturnType<typeof entry>>(10);
    expect(backlog.waitedMs(99)).toBe(0);
    const [first, second] = [entry(1, 10), entry(1, 20)];
    backlog.push([first, second]);
    expect(backlog.waitedMs(50)).toBe(40);
    expect([backlog.remove(first), backlog.remove(first)]).toEqual([true, false]);
    expect(backlog.waitedMs(50)).toBe(30);
    expect(backlog.take(({ sinceMs }) => sinceMs < 15)).toEqual([]);
    expect(backlog.take(({ sinceMs }) => sinceMs < 25)).toEqual([second]);
    expect(backlog.size).toBe(0);
  });
});
