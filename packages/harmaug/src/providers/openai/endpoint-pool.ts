/** Several endpoints that share the load: the least busy one is asked, and callers wait in line while all are full. */
import { ProviderError } from '../../errors.ts';
import { Endpoint, type Outcome } from './endpoint.ts';

export interface Clock {
  now(): number;
  /** @returns what cancels it */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

export interface Lease {
  readonly url: string;
  /** To be called once, with what came of it. */
  finish(outcome: Outcome): void;
}

interface Waiter {
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
}

export interface PoolOptions {
  /** Most requests at once, of each endpoint. */
  readonly concurrency: number;
  /** How long callers wait while every endpoint is down. */
  readonly patienceMs: number;
  readonly clock?: Clock;
}

export class EndpointPool {
  readonly endpoints: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #waiting = new Set<Waiter>(); // keeps order
  #next = 0;
  #cancelWake: (() => void) | undefined;
  #downSinceMs: number | undefined;

  constructor(urls: readonly string[], { concurrency, patienceMs, clock = systemClock }: PoolOptions) {
    this.endpoints = urls.map((url) => new Endpoint(url, concurrency));
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  /** Callers in line. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * A place at an endpoint, as soon as there is one.
   * @throws ProviderError 'network' when all have been down for too long; the signal's reason when aborted
   */
  acquire(signal?: AbortSignal): Promise<Lease> {
    signal?.throwIfAborted();
    const lease = this.#waiting.size === 0 ? this.#take() : null;
    if (lease) return Promise.resolve(lease);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(waiter);
        reject(signal!.reason);
      };
      const waiter: Waiter = {
        resolve: (given) => {
          signal?.removeEventListener('abort', abort);
          resolve(given);
        },
        reject,
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#wakeLater();
    });
  }

  /** The least busy endpoint that is free; equals in turn. */
  #take(): Lease | null {
    const nowMs = this.#clock.now();
    let best: Endpoint | undefined;
    for (let i = 0; i < this.endpoints.length; i++) {
      const endpoint = this.endpoints[(this.#next + i) % this.endpoints.length]!;
      if (!endpoint.isFree(nowMs)) continue;
      if (best === undefined || endpoint.inFlight / endpoint.limit < best.inFlight / best.limit) best = endpoint;
    }
    if (best === undefined) return null;
    this.#next = (this.endpoints.indexOf(best) + 1) % this.endpoints.length;
    best.begin(nowMs);
    const endpoint = best;
    let isFinished = false;
    return {
      url: endpoint.url,
      finish: (outcome) => {
        if (isFinished) throw new Error('internal: a lease was finished twice');
        isFinished = true;
        endpoint.finish(outcome, this.#clock.now());
        this.#serve();
      },
    };
  }

  /** Gives places to those in line; turns them away when everything has been down for too long. */
  #serve(): void {
    const nowMs = this.#clock.now();
    const isDown = this.endpoints.every((endpoint) => endpoint.isDown);
    this.#downSinceMs = isDown ? (this.#downSinceMs ?? nowMs) : undefined;
    if (this.#downSinceMs !== undefined && nowMs - this.#downSinceMs >= this.#patienceMs) this.#turnAway();
    for (const waiter of this.#waiting) {
      const lease = this.#take();
      if (lease === null) break;
      this.#waiting.delete(waiter);
      waiter.resolve(lease);
    }
    this.#wakeLater();
  }

  #turnAway(): void {
    const causes = this.endpoints.flatMap(({ lastError }) => (lastError ? [lastError] : []));
    const what = this.endpoints.length === 1 ? 'The endpoint has' : `All ${this.endpoints.length} endpoints have`;
    const seconds = Math.round(this.#patienceMs / 1000);
    for (const waiter of this.#waiting) {
      const message = `${what} been down for ${seconds} s. ${causes.map(({ message }) => message).join(' ')}`;
      waiter.reject(new ProviderError(message, { problem: 'network', isRetryable: false, causes, cause: causes[0] }));
    }
    this.#waiting.clear();
  }

  /** A look at the line when the next endpoint opens again, if nothing else comes first. */
  #wakeLater(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    if (this.#waiting.size === 0) return;
    const nowMs = this.#clock.now();
    const isFree = this.endpoints.some((endpoint) => endpoint.isFree(nowMs)); // it opened since the last look
    const opening = this.endpoints.map(({ opensAtMs }) => opensAtMs).filter((at) => at > nowMs);
    if (!isFree && opening.length === 0) return;
    const waitMs = isFree ? 0 : Math.max(1, Math.min(...opening) - nowMs);
    this.#cancelWake = this.#clock.after(waitMs, () => this.#serve());
  }
}
