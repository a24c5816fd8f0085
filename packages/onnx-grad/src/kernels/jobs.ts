import type { Spans } from './chunks.ts';
import { ensureBytes } from './shared-tables.ts';

/** One piece of work for the kernels: an operation over `length` elements. */
export interface Job {
  /** Index into `operationNames`. */
  readonly operation: number;
  /** Elements, on the line that is cut into chunks. */
  readonly length: number;
  readonly memory: number;
  /** Byte offsets of the arrays, at most 4. */
  readonly pointers: readonly number[];
  /** At most 10. */
  readonly scalars: readonly number[];
}

// All columns are float64, in which whole numbers up to 2^53 are exact
const column = { operation: 0, start: 1, length: 2, memory: 3, pointers: 4, scalars: 8 } as const;
const COLUMNS = 18;
const HEADER = 1; // the first word holds the number of jobs

/** Jobs in shared memory, written by the main thread and read by all. */
export class JobTable implements Spans {
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#words = new Float64Array(buffer);
  }

  /** @param starts where each job begins on the line */
  write(jobs: readonly Job[], starts: readonly number[]): void {
    ensureBytes(this.#buffer, (HEADER + jobs.length * COLUMNS) * 8);
    this.#words[0] = jobs.length;
    jobs.forEach(({ operation, length, memory, pointers, scalars }, index) => {
      const row = HEADER + index * COLUMNS;
      this.#words.set([operation, starts[index]!, length, memory], row);
      this.#words.set(pointers, row + column.pointers);
      this.#words.set(scalars, row + column.scalars);
    });
  }

  get count(): number {
    return this.#words[0]!;
  }

  operation(job: number): number {
    return this.#at(job, column.operation);
  }

  start(job: number): number {
    return this.#at(job, column.start);
  }

  length(job: number): number {
    return this.#at(job, column.length);
  }

  memory(job: number): number {
    return this.#at(job, column.memory);
  }

  pointer(job: number, index: number): number {
    return this.#at(job, column.pointers + index);
  }

  scalar(job: number, index: number): number {
    return this.#at(job, column.scalars + index);
  }

  #at(job: number, index: number): number {
    return this.#words[HEADER + job * COLUMNS + index]!;
  }
}
