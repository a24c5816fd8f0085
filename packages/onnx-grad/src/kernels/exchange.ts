import { type Job, JobTable } from './jobs.ts';
import { ensureBytes, growableBuffer, SharedLists } from './shared-tables.ts';

/**
 * What the main thread and the workers share, and how they take turns.
 *
 * The main thread writes jobs and lists, sets `remaining` to the number of chunks and wakes the workers. Every thread
 * claims chunks by counting `remaining` down: a positive number is a chunk that is now its own, 0 or less means that
 * there is nothing to do. A worker that wakes late therefore finds either nothing, or a chunk of a later dispatch whose
 * jobs are complete by then; and the main thread waits for chunks, never for a worker that has none.
 */

const word = { generation: 0, remaining: 16, done: 32, isStopped: 48, hasFailed: 64 } as const; // a cache line each
const CONTROL_BYTES = 320;

/** The buffers as they are sent to a worker. */
export interface ExchangeBuffers {
  readonly control: SharedArrayBuffer;
  readonly jobs: SharedArrayBuffer;
  readonly lists: SharedArrayBuffer;
  readonly partials: SharedArrayBuffer;
}

export function createExchangeBuffers(): ExchangeBuffers {
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  return { control, jobs: growableBuffer(), lists: growableBuffer(), partials: growableBuffer() };
}

/** One thread's view of the shared buffers. */
export class Exchange {
  readonly jobs: JobTable;
  readonly lists: SharedLists;
  /** What each chunk summed up to, by chunk. */
  readonly partials: Float64Array;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #partialsBuffer: SharedArrayBuffer;

  constructor(buffers: ExchangeBuffers) {
    this.jobs = new JobTable(buffers.jobs);
    this.lists = new SharedLists(buffers.lists);
    this.partials = new Float64Array(buffers.partials);
    this.#control = new Int32Array(buffers.control);
    this.#partialsBuffer = buffers.partials;
  }

  /** Main thread: from here on, the chunks of these jobs can be claimed. */
  publish(jobs: readonly Job[], starts: readonly number[], chunks: number): void {
    this.jobs.write(jobs, starts);
    ensureBytes(this.#partialsBuffer, chunks * 8);
    Atomics.store(this.#control, word.done, 0);
    Atomics.store(this.#control, word.remaining, chunks);
    if (chunks > 1) this.#wakeWorkers(); // a single chunk is done before a worker is awake
  }

  /** Any thread. @returns a chunk that is now this thread's to do, or -1 */
  claim(): number {
    const claimed = Atomics.sub(this.#control, word.remaining, 1);
    return claimed > 0 ? claimed - 1 : -1;
  }

  /** Any thread: the chunk it claimed is done. */
  finish(chunk: number, partial: number): void {
    this.partials[chunk] = partial;
    Atomics.add(this.#control, word.done, 1);
    Atomics.notify(this.#control, word.done);
  }

  /** Chunks finished in this dispatch. */
  get done(): number {
    return Atomics.load(this.#control, word.done);
  }

  /** Main thread: sleeps until `done` is no longer `seen`, or a worker has failed, or the time is over. */
  waitForProgress(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#control, word.done, seen, timeoutMs);
  }

  /** The number of the latest dispatch. */
  get generation(): number {
    return Atomics.load(this.#control, word.generation);
  }

  /** Worker: sleeps until there is a dispatch after `seen`; returns at once if there has been one. */
  waitForWork(seen: number): void {
    Atomics.wait(this.#control, word.generation, seen);
  }

  /** Worker: it is about to end with a chunk unfinished. */
  fail(): void {
    Atomics.store(this.#control, word.hasFailed, 1);
    Atomics.notify(this.#control, word.done);
  }

  get hasFailed(): boolean {
    return Atomics.load(this.#control, word.hasFailed) === 1;
  }

  /** Main thread: the workers shall end. */
  stop(): void {
    Atomics.store(this.#control, word.isStopped, 1);
    this.#wakeWorkers();
  }

  get isStopped(): boolean {
    return Atomics.load(this.#control, word.isStopped) === 1;
  }

  #wakeWorkers(): void {
    Atomics.add(this.#control, word.generation, 1);
    Atomics.notify(this.#control, word.generation);
  }
}
