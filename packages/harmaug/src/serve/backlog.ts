/** Requests that wait for a worker: bounded, the oldest first, and with it those of similar length. */

export interface Waiting {
  /** UTF-8 bytes of the texts: what a model has to do grows with them, in every script. */
  readonly sizeBytes: number;
  /** When it began to wait, in milliseconds of `performance.now()`. */
  readonly sinceMs: number;
}

const GROUP_BYTES = 4096; // some 1024 tokens, which the guard scores in one batch
const LEAST_BYTES = 64; // shorter texts cost as much, for the special tokens
const MOST_RATIO = 1.2; // of the lengths in a group: beyond it padding costs more than company saves

export class Backlog<Entry extends Waiting> {
  readonly #limit: number;
  #entries: Entry[] = [];

  /** @param limit most that may wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** How long the oldest has waited: what a new one must expect. */
  waitedMs(nowMs: number): number {
    const [oldest] = this.#entries;
    return oldest === undefined ? 0 : nowMs - oldest.sinceMs;
  }

  /** Takes all of them or none. @returns whether there was room */
  push(entries: readonly Entry[]): boolean {
    if (this.#entries.length + entries.length > this.#limit) return false;
    this.#entries.push(...entries);
    return true;
  }

  /** Takes out the oldest, and what has about its length until a batch is full. Empty when nothing waits. */
  takeGroup(): Entry[] {
    const [oldest] = this.#entries;
    if (oldest === undefined) return [];
    const size = costOf(oldest);
    const group = new Set([oldest]);
    let longest = size;
    for (const entry of this.#entries) {
      const cost = costOf(entry);
      if (cost > size * MOST_RATIO || cost < size / MOST_RATIO) continue;
      const next = Math.max(longest, cost);
      if (group.has(entry) || (group.size + 1) * next > GROUP_BYTES) continue;
      longest = next;
      group.add(entry);
    }
    this.#entries = this.#entries.filter((entry) => !group.has(entry));
    return [...group];
  }

  /** Takes out one that is no longer wanted. @returns whether it was there */
  remove(entry: Entry): boolean {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return false;
    this.#entries.splice(index, 1);
    return true;
  }

  /** Takes out those of which that is true. */
  take(isTaken: (entry: Entry) => boolean): Entry[] {
    const taken = this.#entries.filter(isTaken);
    if (taken.length > 0) this.#entries = this.#entries.filter((entry) => !isTaken(entry));
    return taken;
  }

  takeAll(): Entry[] {
    const all = this.#entries;
    this.#entries = [];
    return all;
  }
}

function costOf({ sizeBytes }: Waiting): number {
  return Math.max(sizeBytes, LEAST_BYTES);
}
