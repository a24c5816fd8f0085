/** Load on a server: as many requests at once, or as many a second whether it keeps up or not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';

export interface Shot {
  /** The answer's; `null` where the connection broke. */
  readonly status: number | null;
  /** From when it was due, so that a late start counts, to the answer's end. */
  readonly ms: number;
  /** When it was due, from the beginning. */
  readonly dueMs: number;
}

/** Sends request `index` and gives its status. @throws when the connection breaks */
export type Ask = (index: number) => Promise<number>;

/** `inFlight` requests at once for so many seconds. */
export async function closedLoop(
  ask: Ask,
  { inFlight, seconds }: { inFlight: number; seconds: number },
): Promise<Shot[]> {
  const shots: Shot[] = [];
  const startMs = performance.now();
  let next = 0;
  const one = async () => {
    while (performance.now() - startMs < seconds * 1000) {
      const dueMs = performance.now() - startMs;
      shots.push(await shoot(ask, next++, dueMs, startMs));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return shots;
}

/**
 * Arrivals of a Poisson process.
 * @param uniform numbers from 0 to 1, which decide when they come
 */
export async function openLoop(
  ask: Ask,
  { perSecond, seconds, uniform }: { perSecond: number; seconds: number; uniform: () => number },
): Promise<Shot[]> {
  const pending: Promise<Shot>[] = [];
  const startMs = performance.now();
  let dueMs = 0;
  for (let index = 0; ; index++) {
    dueMs += (-Math.log(1 - uniform()) / perSecond) * 1000;
    if (dueMs > seconds * 1000) break;
    const early = dueMs - (performance.now() - startMs);
    if (early > 1) await sleep(early);
    pending.push(shoot(ask, index, dueMs, startMs));
  }
  return Promise.all(pending);
}

async function shoot(ask: Ask, index: number, dueMs: number, startMs: number): Promise<Shot> {
  const status = await ask(index).catch(() => null);
  return { status, ms: performance.now() - startMs - dueMs, dueMs };
}

/** @param share 0.99 for p99; NaN of nothing */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Requests that were answered with 200 within the time, a second. */
export function rateOf(shots: readonly Shot[], seconds: number): number {
  const isInTime = ({ status, dueMs, ms }: Shot) => status === 200 && dueMs + ms <= seconds * 1000;
  return shots.filter(isInTime).length / seconds;
}

export interface Poster {
  readonly post: (path: string, body: string, headers?: Readonly<Record<string, string>>) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** A client that computes little: the server has the same cores. */
export function createPoster(url: string, connections = 1024): Poster {
  const agent = new Agent({ connections, pipelining: 1, headersTimeout: 120_000, bodyTimeout: 120_000 });
  return {
    async post(path, body, headers = {}) {
      const { statusCode, body: reply } = await agent.request({
        origin: url,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      await reply.dump();
      return statusCode;
    },
    close: () => agent.destroy(),
  };
}
