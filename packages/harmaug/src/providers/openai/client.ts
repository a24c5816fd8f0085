/** Calls that get through: sent to whichever endpoint has room, asked again where that may help, counted once. */
import { messageOf, ProviderError } from '../../errors.ts';
import type { Outcome } from './endpoint.ts';
import { type Clock, EndpointPool, systemClock } from './endpoint-pool.ts';
import { hide, httpError } from './http-errors.ts';
import { defaultRetryPolicy, nextWaitMs, type RetryPolicy } from './retry.ts';
import type { Transport } from './transport.ts';

export interface ClientOptions {
  readonly endpoints: readonly string[];
  readonly model: string;
  readonly transport: Transport;
  /** Most requests at once, of each endpoint. */
  readonly concurrency: number;
  readonly apiKey?: string | undefined;
  /** Name of the variable that the key came from, for messages. */
  readonly keyName?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly patienceMs?: number;
  readonly maxReplyBytes?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Call<Result> {
  readonly id: string;
  /** After the endpoint, with its slash. */
  readonly path: string;
  readonly body: unknown;
  /** Texts of the request, kept out of messages. */
  readonly hidden: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Reads a good reply. @throws ProviderError, and the call may be tried again */
  readonly read: (body: string) => Result;
}

/** What a client did. Every call ends as `done`, `failed` or `aborted`, once. */
export interface Counts {
  done: number;
  failed: number;
  aborted: number;
  attempts: number;
}

const MAX_REPLY_BYTES = 8_000_000;

export class Client {
  readonly pool: EndpointPool;
  readonly counts: Counts = { done: 0, failed: 0, aborted: 0, attempts: 0 };
  readonly #options: ClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #policy: RetryPolicy;

  constructor(options: ClientOptions) {
    const { endpoints, concurrency, patienceMs = 120_000, clock = systemClock, apiKey } = options;
    this.#options = options;
    this.#clock = clock;
    this.#random = options.random ?? Math.random;
    this.#policy = { ...defaultRetryPolicy, ...options.retry };
    this.pool = new EndpointPool(endpoints, { concurrency, patienceMs, clock });
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...options.headers,
    };
  }

  /** @throws ProviderError with every cause; the signal's reason when aborted */
  async call<Result>(call: Call<Result>): Promise<Result> {
    const body = JSON.stringify(call.body);
    const errors: Error[] = [];
    let firstErrorMs = 0;
    for (;;) {
      try {
        const result = await this.#attempt(call, body);
        this.counts.done += 1;
        return result;
      } catch (error) {
        if (call.signal?.aborted) return this.#abort(call.signal);
        errors.push(error instanceof Error ? error : new Error(messageOf(error)));
        const nowMs = this.#clock.now();
        if (errors.length === 1) firstErrorMs = nowMs;
        const waitMs = nextWaitMs({ errors, elapsedMs: nowMs - firstErrorMs }, this.#random(), this.#policy);
        if (waitMs === null) throw this.#fail(call.id, errors);
        await this.#sleep(waitMs, call.signal);
        if (call.signal?.aborted) return this.#abort(call.signal);
      }
    }
  }

  async dispose(): Promise<void> {
    await this.#options.transport.dispose();
  }

  async #attempt<Result>({ path, hidden, signal, read }: Call<Result>, body: string): Promise<Result> {
    const { transport, model, apiKey, keyName, timeoutMs = 600_000, maxReplyBytes = MAX_REPLY_BYTES } = this.#options;
    const lease = await this.pool.acquire(signal);
    const startMs = this.#clock.now();
    this.counts.attempts += 1;
    try {
      const url = lease.url + path;
      const reply = await transport.post({
        url,
        headers: this.#headers,
        body,
        timeoutMs,
        maxBytes: maxReplyBytes,
        signal,
      });
      if (reply.status < 200 || reply.status > 299) {
        const secrets = apiKey === undefined ? hidden : [...hidden, apiKey];
        throw httpError(reply, { endpoint: url, model, hidden: secrets, keyName, nowMs: Date.now() });
      }
      const result = read(reply.body);
      lease.finish({ kind: 'ok', latencyMs: this.#clock.now() - startMs });
      return result;
    } catch (error) {
      lease.finish(signal?.aborted ? { kind: 'refused' } : outcomeOf(error));
      throw error;
    }
  }

  #abort(signal: AbortSignal): never {
    this.counts.aborted += 1;
    throw signal.reason;
  }

  #fail(id: string, errors: readonly Error[]): Error {
    this.counts.failed += 1;
    const last = errors.at(-1)!;
    const times = errors.length === 1 ? '' : ` Tried ${errors.length} times.`;
    const details =
      last instanceof ProviderError
        ? { problem: last.problem, ...(last.status === undefined ? {} : { status: last.status }) }
        : { problem: 'format' as const };
    const secret = this.#options.apiKey === undefined ? [] : [this.#options.apiKey];
    return new ProviderError(hide(`Call ${id}: ${last.message}${times}`, secret), {
      ...details,
      isRetryable: false,
      causes: errors,
      cause: last,
    });
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = this.#clock.after(ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
      if (signal?.aborted) wake();
    });
  }
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ProviderError)) return { kind: 'refused' };
  if (error.problem === 'overload') return { kind: 'overload', retryAfterMs: error.retryAfterMs ?? 0 };
  if (!error.isRetryable) return { kind: 'refused' };
  return { kind: 'failed', isTimeout: error.problem === 'timeout', error };
}
