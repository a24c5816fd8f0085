/** Guards in worker processes, and the queue before them. A worker that dies loses its own requests and is replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { ConfigError } from 'onnx-grad';
import { messageOf } from '../errors.ts';
import { refused } from './api-error.ts';
import { Backlog } from './backlog.ts';
import type { Judge } from './judge.ts';
import type { LoadMessage } from './messages.ts';
import type { PoolEvent, PoolState } from './pool-state.ts';
import { type Entry, WorkerProcess } from './worker-process.node.ts';

export interface PoolOptions {
  /** Folder, hub id or address of the guard. */
  readonly guard: string;
  readonly guardOptions: LoadMessage['options'];
  readonly workers: number;
  /** Texts or exchanges that may wait. */
  readonly maxQueue: number;
  /** How long one may wait for its turn. */
  readonly maxWaitMs: number;
  readonly onEvent: (event: PoolEvent) => void;
}

/** One request of one or several texts. */
interface PooledEntry extends Entry {
  /** Whether the first of its request's texts had its turn: the others wait as long as they have to. */
  readonly turn: { hasCome: boolean };
}

const SWEEP_MS = 100;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

export class Pool implements Judge {
  readonly #options: PoolOptions;
  readonly #backlog: Backlog<PooledEntry>;
  readonly #stop = new AbortController();
  readonly #sweeper: NodeJS.Timeout;
  /** Those that are given work. */
  #workers: WorkerProcess[] = [];
  /** All that live, those that load or retire included. */
  readonly #living = new Set<WorkerProcess>();
  #categories: readonly string[] = [];
  #inWork = 0;
  #lost = 0;
  #lastId = 0;
  #isClosed = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.maxQueue);
    this.#sweeper = setInterval(() => this.#refuseLate(), SWEEP_MS);
    this.#sweeper.unref();
  }

  /** @throws ConfigError where the guard does not load */
  static async start(options: PoolOptions): Promise<Pool> {
    const pool = new Pool(options);
    try {
      await pool.reload();
    } catch (error) {
      await pool.stop(0);
      throw error;
    }
    return pool;
  }

  get categories(): readonly string[] {
    return this.#categories;
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#workers.some(({ isReady }) => isReady);
  }

  get state(): PoolState {
    const ready = this.#workers.filter(({ isReady }) => isReady).length;
    return { waiting: this.#backlog.size, inWork: this.#inWork, ready, lost: this.#lost };
  }

  /** Process ids of the workers, for those who test what happens without one. */
  get pids(): readonly number[] {
    return this.#workers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async check(requests: readonly GuardRequest[], signal: AbortSignal): Promise<GuardAnswer[]> {
    signal.throwIfAborted();
    if (this.#isClosed) throw refused('stopping', 1);
    const nowMs = performance.now();
    const turn = { hasCome: false };
    const pending = requests.map((request) => {
      const { promise, resolve, reject } = Promise.withResolvers<GuardAnswer>();
      this.#lastId += 1;
      const sizeBytes = Buffer.byteLength(request.prompt) + Buffer.byteLength(request.response ?? '');
      const entry: PooledEntry = { id: this.#lastId, request, sizeBytes, sinceMs: nowMs, resolve, reject, turn };
      return { entry, promise };
    });
    const entries = pending.map(({ entry }) => entry);
    if (!this.#backlog.push(entries)) {
      const waitedSeconds = Math.ceil(this.#backlog.waitedMs(nowMs) / 1000);
      throw refused('queue_full', Math.max(1, waitedSeconds));
    }
    const abandon = () => this.#abandon(entries, signal.reason);
    signal.addEventListener('abort', abandon, { once: true });
    this.#inWork += entries.length;
    this.#dispatch();
    try {
      return await Promise.all(pending.map(({ promise }) => promise));
    } catch (error) {
      this.#abandon(entries, error);
      throw error;
    } finally {
      this.#inWork -= entries.length;
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Starts workers with the guard as it is now; when all are ready they take over, and the old ones end with their work. */
  async reload(): Promise<void> {
    const fresh = Array.from({ length: this.#options.workers }, () => this.#spawn());
    try {
      const [categories] = await Promise.all(fresh.map(({ ready }) => ready));
      this.#categories = categories!;
    } catch (error) {
      for (const worker of fresh) worker.kill();
      throw new ConfigError(messageOf(error));
    }
    const old = this.#workers;
    this.#workers = fresh.filter((worker) => this.#living.has(worker));
    for (const worker of old) worker.retire();
    for (let lost = this.#workers.length; lost < fresh.length; lost++) void this.#replace();
    this.#dispatch();
  }

  /** Takes nothing new, and ends when all is answered, or after so long at the latest. */
  async stop(withinMs: number): Promise<void> {
    this.#isClosed = true;
    const deadlineMs = performance.now() + withinMs;
    while (this.#inWork > 0 && performance.now() < deadlineMs) await sleep(10);
    this.#stop.abort();
    clearInterval(this.#sweeper);
    for (const entry of this.#backlog.takeAll()) entry.reject(refused('stopping', 1));
    for (const worker of this.#living) worker.kill();
    while (this.#living.size > 0) await sleep(5);
  }

  /** Gives waiting groups to the workers with the fewest. */
  #dispatch(): void {
    for (;;) {
      const [worker] = this.#workers.filter(({ hasRoom }) => hasRoom).sort((a, b) => a.groups - b.groups);
      if (worker === undefined) return;
      const group = this.#backlog.takeGroup();
      if (group.length === 0) return;
      for (const { turn } of group) turn.hasCome = true;
      worker.ask(group);
    }
  }

  #abandon(entries: readonly PooledEntry[], reason: unknown): void {
    const asked = entries.filter((entry) => !this.#backlog.remove(entry)).map(({ id }) => id);
    for (const worker of this.#living) worker.abort(asked);
    for (const { reject } of entries) reject(reason);
  }

  #refuseLate(): void {
    const nowMs = performance.now();
    const since = nowMs - this.#options.maxWaitMs;
    const late = this.#backlog.take(({ sinceMs, turn }) => sinceMs < since && !turn.hasCome);
    for (const { reject, sinceMs } of late) reject(refused('waited_too_long', Math.ceil((nowMs - sinceMs) / 1000)));
  }

  #spawn(): WorkerProcess {
    const startMs = performance.now();
    const { guard, guardOptions, onEvent } = this.#options;
    const worker: WorkerProcess = new WorkerProcess(
      { kind: 'load', guard, options: guardOptions },
      { onRoom: () => this.#dispatch(), onExit: (how) => this.#onExit(worker, how) },
    );
    this.#living.add(worker);
    worker.ready.then(
      () => onEvent({ event: 'worker-ready', pid: worker.pid!, ms: Math.round(performance.now() - startMs) }),
      () => {},
    );
    return worker;
  }

  #onExit(worker: WorkerProcess, how: string): void {
    this.#living.delete(worker);
    if (!this.#workers.includes(worker)) return; // it retired, or never was at work
    this.#workers = this.#workers.filter((other) => other !== worker);
    if (this.#stop.signal.aborted) return;
    this.#lost += 1;
    this.#options.onEvent({ event: 'worker-lost', pid: worker.pid!, how });
    void this.#replace();
  }

  async #replace(): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; !this.#stop.signal.aborted; retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)) {
      if (this.#workers.length >= this.#options.workers) return; // a reload came first
      const worker = this.#spawn();
      try {
        await worker.ready;
        if (!this.#living.has(worker)) continue;
        if (this.#workers.length >= this.#options.workers) return worker.retire();
        this.#workers.push(worker);
        return this.#dispatch();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.onEvent({ event: 'worker-failed', reason: messageOf(error), retryMs });
        await sleep(retryMs, undefined, { ref: false });
      }
    }
  }
}
