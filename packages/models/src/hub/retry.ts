import { HubError } from './errors.ts';

/** Whether and when to ask the hub again. */

export interface HubPolicy {
  /** Failures in a row after which it gives up. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** The longest wait that a server may ask for; beyond, it gives up at once. */
  readonly longestAskedWaitMs: number;
  /** From a request to the beginning of its answer. */
  readonly answerTimeoutMs: number;
  /** From one piece of an answer to the next. */
  readonly idleTimeoutMs: number;
}

export const defaultPolicy: HubPolicy = {
  attempts: 5,
  firstWaitMs: 1000,
  longestWaitMs: 30_000,
  longestAskedWaitMs: 5 * 60_000, // the hub counts requests over 5 minutes
  answerTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
};

/**
 * @param failures in a row, this one included
 * @returns how long to wait before the next attempt, or `null` to give up
 */
export function nextWaitMs(error: unknown, failures: number, policy: HubPolicy): number | null {
  if (!(error instanceof HubError) || !error.isRetryable || failures >= policy.attempts) return null;
  if (error.retryAfterMs === undefined) return Math.min(policy.longestWaitMs, policy.firstWaitMs * 2 ** (failures - 1));
  return error.retryAfterMs > policy.longestAskedWaitMs ? null : error.retryAfterMs;
}

/**
 * What an answer asks to wait: `Retry-After` in seconds or as a date, else the hub's own `RateLimit: "api";r=0;t=55`.
 * @param nowMs since 1970
 */
export function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = text === undefined ? Number.NaN : Date.parse(text);
  if (!Number.isNaN(date)) return Math.max(0, date - nowMs);
  const rest = /;\s*r=0;\s*t=(\d{1,9})/.exec(headers.get('ratelimit') ?? '');
  return rest === null ? undefined : Number(rest[1]) * 1000;
}
