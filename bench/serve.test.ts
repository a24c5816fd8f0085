import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { closedLoop, openLoop, percentile, rateOf } from './serve/load.ts';
import { searchRate } from './serve/search.ts';
import { toRows } from './serve.ts';

/** A server that answers one request after another, each in so many milliseconds. */
function serverOf(ms: number) {
  let free = 0;
  return (): Promise<number> => {
    free = Math.max(free, performance.now()) + ms;
    return new Promise((resolve) => setTimeout(() => resolve(200), free - performance.now()));
  };
}

describe('load', () => {
  it('with so many at once goes as fast as the server does', async () => {
    const shots = await closedLoop(serverOf(5), { inFlight: 4, seconds: 0.5 });
    expect(rateOf(shots, 0.5)).toBeGreaterThan(100);
    expect(rateOf(shots, 0.5)).toBeLessThan(215);
  });

  it('at a rate comes whether the server keeps up or not, and lateness counts', async () => {
    const shots = await openLoop(serverOf(20), { perSecond: 200, seconds: 0.5, uniform: mulberry32(1) });
    expect(shots.length).toBeGreaterThan(70);
    const times = shots.map(({ ms }) => ms);
    expect(percentile(times, 0.99)).toBeGreaterThan(500); // 100 requests at 50 a second
  });

  it('counts broken connections', async () => {
    const shots = await closedLoop(
      () => Promise.reject(new Error('broken')).finally(() => new Promise((r) => setTimeout(r, 20))),
      {
        inFlight: 1,
        seconds: 0.05,
      },
    );
    expect(shots.every(({ status }) => status === null)).toBe(true);
    expect(rateOf(shots, 0.05)).toBe(0);
  });

  it('has percentiles', () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
    expect(percentile([4, 1, 3, 2], 0.99)).toBe(4);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

it('finds the rate that keeps p99', async () => {
  const options = { limitMs: 200, seconds: 1, trials: 4, uniform: mulberry32(2), onTrial: () => {} };
  const { perSecond, p99Ms, mostPerSecond } = await searchRate(serverOf(5), options);
  expect(mostPerSecond).toBeGreaterThan(100);
  expect(perSecond).toBeGreaterThan(50);
  expect(perSecond).toBeLessThan(300); // 200 a second, and the 40 more that one second may leave waiting 200 ms; by chance of arrival some more
  expect(p99Ms).toBeLessThanOrEqual(200);
});

it('of each peer counts the best setting', () => {
  const found = (perSecond: number) => [{ perSecond, p99Ms: 1, mostPerSecond: 2 * perSecond }];
  const [throughput, saturation] = toRows(
    new Map([
      [{ name: 'ours', side: 'ours' as const }, found(60)],
      [{ name: 'litserve a', side: 'litserve' as const }, found(10)],
      [{ name: 'litserve b', side: 'litserve' as const }, found(20)],
      [{ name: 'infinity', side: 'infinity' as const }, found(15)],
    ]),
    1000,
    'fp32',
  );
  expect(throughput).toMatchObject({ case: 'throughput', ours: 60, peers: { litserve: 20, infinity: 15 }, ratio: 3 });
  expect(saturation).toMatchObject({ ours: 120, details: { 'litserve a': 20, 'litserve b': 40, infinity: 30 } });
});
