/** Whether and when to ask again: a pure decision from what has happened to a call so far. */
import { ProviderError } from '../../errors.ts';

export interface RetryPolicy {
  /** Most attempts that fail for other reasons than overload. */
  readonly attempts: number;
  /** How long a call goes on asking a server that says it has too much to do. */
  readonly overloadPatienceMs: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  overloadPatienceMs: 15 * 60_000,
  firstWaitMs: 250,
  longestWaitMs: 30_000,
};

/** What has happened to a call. */
export interface RetryState {
  /** Every failure, the first one first. */
  readonly errors: readonly Error[];
  /** Time since the first of them. */
  readonly elapsedMs: number;
}

/**
 * @param random uniform from 0 to 1, so that many callers do not come back at once
 * @returns how long to wait before the next attempt, or `null` to give up
 */
export function nextWaitMs(
  { errors, elapsedMs }: RetryState,
  random: number,
  policy = defaultRetryPolicy,
): number | null {
  const last = errors.at(-1);
  if (!(last instanceof ProviderError) || !last.isRetryable) return null;
  const ofOverload = errors.filter(isOverload).length;
  const failures = errors.length - ofOverload;
  const step = isOverload(last) ? ofOverload : failures;
  const backoff = Math.min(policy.longestWaitMs, policy.firstWaitMs * 2 ** (step - 1)) * (0.5 + random / 2);
  const waitMs = last.retryAfterMs === undefined ? backoff : last.retryAfterMs + random * policy.firstWaitMs;
  if (isOverload(last)) return elapsedMs + waitMs > policy.overloadPatienceMs ? null : waitMs;
  return failures >= policy.attempts ? null : waitMs;
}

function isOverload(error: Error): boolean {
  return error instanceof ProviderError && error.problem === 'overload';
}
