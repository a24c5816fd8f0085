/**
 * One server address and what we have learnt of it: how many requests it bears at once, whether it is up.
 *
 * Concurrency starts at the most allowed. It is halved when the server refuses for overload or times out, at most once in
 * the time of a request, and cut by a tenth when replies become four times as slow as they were; it grows back by one for
 * every full round of good replies. A round is begun over half the time of a reply: all at once, its replies would come
 * all at once, queue at both ends, and so wave after wave. An endpoint that fails several times in a row is left aside and tried again with a
 * single request, after a pause that doubles each time.
 */

const FAILURES_TO_OPEN = 5; // in a row
const FIRST_COOL_DOWN_MS = 1000;
const LONGEST_COOL_DOWN_MS = 60_000;
const SLOWER = 4; // times the usual latency
const SPREAD = 0.5; // of a reply's time, over which a full round of requests is begun
const SLACK_MS = 2; // timers are no finer

export type Outcome =
  | { readonly kind: 'ok'; readonly latencyMs: number }
  /** It answered, with an error that is the request's own fault. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'overload'; readonly retryAfterMs: number }
  | { readonly kind: 'failed'; readonly isTimeout: boolean; readonly error: Error };

export class Endpoint {
  readonly url: string;
  readonly most: number;
  inFlight = 0;
  limit: number;
  lastError: Error | undefined;
  #failures = 0;
  #opensAtMs = 0;
  #coolDownMs = FIRST_COOL_DOWN_MS;
  #shrunkAtMs = -Infinity;
  #latencyMs = 0; // of recent requests, smoothed
  #usualMs = Infinity; // least #latencyMs of a full round
  #inRound = 0;
  #paceMs = 0; // when the next request may begin, but for SLACK_MS

  constructor(url: string, most: number) {
    this.url = url;
    this.most = most;
    this.limit = most;
  }

  /** Left aside: it failed too often in a row. */
  get isDown(): boolean {
    return this.#failures >= FAILURES_TO_OPEN;
  }

  /** When it may be asked again at the earliest. */
  get opensAtMs(): number {
    return Math.max(this.#opensAtMs, this.#paceMs - SLACK_MS);
  }

  /** A request begins. */
  begin(nowMs: number): void {
    this.inFlight += 1;
    this.#paceMs = Math.max(nowMs, this.#paceMs) + (SPREAD * this.#latencyMs) / this.limit;
  }

  isFree(nowMs: number): boolean {
    if (nowMs < this.opensAtMs) return false;
    return this.isDown ? this.inFlight === 0 : this.inFlight < Math.max(1, Math.floor(this.limit));
  }

  finish(outcome: Outcome, nowMs: number): void {
    const wasFull = this.inFlight >= Math.floor(this.limit);
    this.inFlight -= 1;
    if (outcome.kind === 'failed') {
      this.#fail(outcome.error, outcome.isTimeout, nowMs);
      return;
    }
    this.#failures = 0;
    this.#coolDownMs = FIRST_COOL_DOWN_MS;
    if (outcome.kind === 'overload') {
      this.#opensAtMs = Math.max(this.#opensAtMs, nowMs + outcome.retryAfterMs);
      this.#shrink(0.5, nowMs);
    } else if (outcome.kind === 'ok') this.#learn(outcome.latencyMs, wasFull, nowMs);
  }

  #fail(error: Error, isTimeout: boolean, nowMs: number): void {
    this.lastError = error;
    const isKnown = this.isDown && nowMs < this.#opensAtMs; // sent before it was left aside
    this.#failures += 1;
    if (isTimeout) this.#shrink(0.5, nowMs);
    if (!this.isDown || isKnown) return;
    this.#opensAtMs = nowMs + this.#coolDownMs;
    this.#coolDownMs = Math.min(LONGEST_COOL_DOWN_MS, this.#coolDownMs * 2);
  }

  /** At most once in the time that a request takes: all those under way tell of the same overload. */
  #shrink(factor: number, nowMs: number): void {
    if (nowMs - this.#shrunkAtMs < Math.max(100, this.#latencyMs)) return;
    this.#shrunkAtMs = nowMs;
    this.limit = Math.max(1, this.limit * factor);
  }

  #learn(latencyMs: number, wasFull: boolean, nowMs: number): void {
    const weight = Math.max(0.02, 1 / this.limit);
    this.#latencyMs = this.#latencyMs === 0 ? latencyMs : this.#latencyMs + weight * (latencyMs - this.#latencyMs);
    if (!wasFull) return;
    if (this.limit < this.most) this.limit = Math.min(this.most, this.limit + 1 / this.limit);
    this.#inRound += 1;
    if (this.#inRound < this.limit) return;
    this.#inRound = 0;
    this.#usualMs = Math.min(this.#usualMs, this.#latencyMs);
    if (this.#latencyMs > SLOWER * this.#usualMs) this.#shrink(0.9, nowMs);
  }
}
