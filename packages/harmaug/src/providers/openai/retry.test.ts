import { expect, test } from 'vitest';
import { ProviderError, type ProviderErrorDetails } from '../../errors.ts';
import { nextWaitMs } from './retry.ts';

const error = (details: Partial<ProviderErrorDetails>) =>
  new ProviderError('failed', { problem: 'network', isRetryable: true, ...details });
const wait = (errors: Error[], elapsedMs = 0) => nextWaitMs({ errors, elapsedMs }, 1);

test('waits twice as long after each failure, then gives up', () => {
  const failures = [1, 2, 3, 4].map((count) => wait(Array(count).fill(error({}))));
  expect(failures).toEqual([250, 500, 1000, 2000]);
  expect(wait(Array(5).fill(error({})))).toBeNull();
});

test('half the wait is by chance', () => {
  expect(nextWaitMs({ errors: [error({})], elapsedMs: 0 }, 0)).toBe(125);
});

test('gives up at once where another attempt cannot help', () => {
  expect(wait([error({ isRetryable: false })])).toBeNull();
  expect(wait([new Error('a bug')])).toBeNull();
});

test('waits as long as the server says, and not at all where that is too long', () => {
  expect(wait([error({ problem: 'overload', retryAfterMs: 7000 })])).toBe(7250);
  expect(wait([error({ problem: 'overload', retryAfterMs: 3_600_000 })])).toBeNull();
});

test('overload does not use up the attempts, only patience', () => {
  const overloads = Array(20).fill(error({ problem: 'overload' }));
  expect(wait(overloads)).toBe(30_000);
  expect(wait([...overloads, error({})])).toBe(250);
  expect(wait(overloads, 15 * 60_000)).toBeNull();
});
