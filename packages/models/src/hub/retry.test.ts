import { describe, expect, it } from 'vitest';
import { HubError } from './errors.ts';
import { defaultPolicy, nextWaitMs, readRetryAfter } from './retry.ts';

const busy = (retryAfterMs?: number) => new HubError('busy', 'busy', { isRetryable: true, retryAfterMs });

describe('asking again', () => {
  it('waits twice as long each time, up to a limit, and gives up', () => {
    const waits = [1, 2, 3, 4, 5].map((failures) => nextWaitMs(busy(), failures, defaultPolicy));
    expect(waits).toEqual([1000, 2000, 4000, 8000, null]);
    expect(nextWaitMs(busy(), 9, { ...defaultPolicy, attempts: 100 })).toBe(30_000);
  });

  it('waits as long as it is asked to, but not for ever', () => {
    expect(nextWaitMs(busy(90_000), 1, defaultPolicy)).toBe(90_000);
    expect(nextWaitMs(busy(3_600_000), 1, defaultPolicy)).toBeNull();
  });

  it('is of no use after an error that stays', () => {
    expect(nextWaitMs(new HubError('missing', 'no'), 1, defaultPolicy)).toBeNull();
    expect(nextWaitMs(new Error('other'), 1, defaultPolicy)).toBeNull();
  });

  it.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:01:40 GMT' }, 40_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:01 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ ratelimit: '"api";r=0;t=55' }, 55_000],
    [{ ratelimit: '"api";r=12;t=55' }, undefined],
    [{}, undefined],
  ])('reads the wait from %j', (headers, ms) => {
    expect(readRetryAfter(new Headers(headers as Record<string, string>), 60_000)).toBe(ms);
  });
});
