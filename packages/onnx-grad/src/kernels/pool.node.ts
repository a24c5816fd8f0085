import { availableParallelism } from 'node:os';
import { ConfigError, ShapeError } from '../errors.ts';
import { type AdamwSettings, adamwDefaults, adamwScalars } from './adamw.ts';
import { Arena, type Buffer32 } from './arena.ts';
import { chunkCount, layOutJobs } from './chunks.ts';
import { type DropoutDraw, dropoutKeys, dropoutThreshold } from './dropout.ts';
import { createExchangeBuffers, Exchange } from './exchange.ts';
import type { Job } from './jobs.ts';
import type { ArrayGroup } from './layout.ts';
import { instantiateKernels, type Kernels } from './module.ts';
import { type OperationName, operationNames, runClaimedChunks } from './operations.ts';
import type { RowSet } from './rows.ts';
import { WorkerTeam } from './worker-team.node.ts';

/** An array, or the rows of it that are `current` in a RowSet. */
export type Operand = Buffer32 | { readonly buffer: Buffer32; readonly rows: RowSet };

/** One parameter with its gradient and moments, all of one length and in one memory. */
export interface AdamwPart {
  readonly parameter: Buffer32;
  readonly gradient: Buffer32;
  readonly firstMoment: Buffer32;
  readonly secondMoment: Buffer32;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** For an embedding table: only rows that are current have a gradient. */
  readonly rows?: RowSet;
}

export interface DropoutJob {
  readonly buffer: Buffer32;
  /** Elements to fill, from the first. */
  readonly length: number;
  readonly probability: number;
  readonly site: number;
}

/** A matrix copied as signed bytes with a scale for each row or column; all arrays in one memory. */
export type QuantizeJob = {
  readonly matrix: Buffer32;
  readonly rows: number;
  readonly columns: number;
  /** Room for rows · columns bytes. Of `rows` they are turned, (columns, rows). */
  readonly bytes: Buffer32;
  readonly scales: Buffer32;
} & (
  | { readonly along: 'columns' }
  /** With one factor a column, multiplied onto the matrix before. */
  | { readonly along: 'rows'; readonly factors: Buffer32 }
);

export interface KernelPoolOptions {
  /** The calling thread and `threads - 1` workers. Default: one for each core. */
  readonly threads?: number;
  /** Size of one memory, at most 4 GiB. Default 4 GiB. */
  readonly memoryLimitBytes?: number;
  /** How long to wait for a worker that has work but makes no progress. Default 30,000. */
  readonly patienceMs?: number;
  /** The worker's file, for tests. */
  readonly workerUrl?: URL;
}

const SPINS = 2000; // some 20 microseconds: shorter than going to sleep and being woken

/**
 * Elementwise kernels over arrays in shared WebAssembly memory, on all cores. Calls return when the work is done; each
 * is one dispatch for any number of arrays, and its result has the same bits for any number of threads.
 * @example
 * const pool = await KernelPool.create();
 * const [[parameter, gradient, firstMoment, secondMoment]] = pool.allocate([{ lengths: [n, n, n, n] }]);
 * pool.adamw([{ parameter, gradient, firstMoment, secondMoment, learningRate: 3e-5, weightDecay: 0.1 }], { step: 1 });
 */
export class KernelPool {
  readonly threads: number;
  readonly #exchange: Exchange;
  readonly #team: WorkerTeam;
  readonly #arena: Arena;
  readonly #kernels: Kernels[] = [];
  readonly #patienceMs: number;

  private constructor(exchange: Exchange, team: WorkerTeam, options: KernelPoolOptions, threads: number) {
    this.threads = threads;
    this.#exchange = exchange;
    this.#team = team;
    this.#patienceMs = options.patienceMs ?? 30_000;
    this.#arena = new Arena(options.memoryLimitBytes, (memory) => {
      this.#kernels.push(instantiateKernels(memory));
      team.announce(memory);
    });
  }

  /** @throws ConfigError for a number of threads below 1; DeviceError when a worker cannot start */
  static async create(options: KernelPoolOptions = {}): Promise<KernelPool> {
    const threads = options.threads ?? availableParallelism();
    if (!(Number.isInteger(threads) && threads >= 1)) throw new ConfigError(`${threads} threads, expected 1 or more.`);
    const buffers = createExchangeBuffers();
    const exchange = new Exchange(buffers);
    const team = await WorkerTeam.start(threads - 1, exchange, buffers, options.workerUrl);
    return new KernelPool(exchange, team, options, threads);
  }

  /**
   * New arrays of zeros, 64-byte aligned; those of a group lie in one memory, as arrays must that a kernel reads
   * together. Memories are opened at the size needed and never grow: ask for arrays of one lifetime in one call.
   */
  allocate(groups: readonly ArrayGroup[]): Buffer32[][] {
    this.#team.assertAlive();
    return this.#arena.allocate(groups);
  }

  /** One step of AdamW, in the order of torch.optim.AdamW. Gradients are left as they are. */
  adamw(
    parts: readonly AdamwPart[],
    settings: Pick<AdamwSettings, 'step'> & Partial<Omit<AdamwSettings, 'learningRate' | 'weightDecay'>>,
  ): void {
    this.#dispatch(() =>
      parts.map(({ parameter, gradient, firstMoment, secondMoment, learningRate, weightDecay, rows }) => {
        const scalars = adamwScalars({ ...adamwDefaults, ...settings, learningRate, weightDecay });
        const buffers = [parameter, gradient, firstMoment, secondMoment];
        if (!rows) return this.#job('adamw', buffers, scalars);
        this.#checkTable(parameter, rows);
        const states = this.#exchange.lists.addBytes(rows.states);
        return this.#job('adamwRows', buffers, [...scalars, rows.rowLength, states]);
      }),
    );
  }

  /** The sum of squares over all operands, in float64: of gradients, the square of the norm that clipping compares. */
  sumSquares(operands: readonly Operand[]): number {
    return this.#dispatch(() => operands.map((operand) => this.#operandJob('sumSquares', operand)));
  }

  /** All elements of the operands become zero. */
  fillZero(operands: readonly Operand[]): void {
    this.#dispatch(() => operands.map((operand) => this.#operandJob('fillZero', operand)));
  }

  /** target += factor * source, for each pair. */
  scaleAdd(pairs: readonly { readonly target: Buffer32; readonly source: Buffer32 }[], factor: number): void {
    this.#dispatch(() => pairs.map(({ target, source }) => this.#job('scaleAdd', [target, source], [factor])));
  }

  /**
   * table[ids[t]] += source[t], in the order of t: the gradient of an embedding lookup. Marks the ids in `rows`.
   * @param table  (V, E)
   * @param source (T, E), in the memory of the table; may be longer
   * @param ids    T rows of the table; a negative one is passed over, its source row unread
   * @throws ShapeError for an id beyond the table
   */
  scatterAddRows(
    table: Buffer32,
    rows: RowSet,
    source: Buffer32,
    ids: readonly number[] | Int32Array | BigInt64Array,
  ): void {
    this.#checkTable(table, rows);
    const { rowLength } = rows;
    const count = ids.length;
    if (source.length < count * rowLength) {
      throw new ShapeError(`${count} rows of ${rowLength} elements, but the source holds ${source.length} elements.`);
    }
    this.#dispatch(() => {
      rows.mark(Array.from(ids, Number).filter((id) => !(id < 0)));
      const keys = Float64Array.from(ids as ArrayLike<number | bigint>, (id, t) => Number(id) * count + t).filter(
        (key) => key >= 0, // negative for negative ids
      );
      keys.sort(); // by id, then by t
      const list = this.#exchange.lists.addWords(keys.map((key) => Math.floor(key / count)));
      this.#exchange.lists.addWords(keys.map((key) => key % count));
      return [this.#job('scatterAddRows', [table, source], [rowLength, keys.length, list], keys.length * rowLength)];
    });
  }

  /** Fills arrays with 0 or 1 / (1 - probability). See dropout.ts for which element gets what. */
  dropoutMasks(jobs: readonly DropoutJob[], draw: Omit<DropoutDraw, 'site'>): void {
    this.#dispatch(() =>
      jobs.map(({ buffer, length, probability, site }) => {
        if (!(length >= 0 && length <= buffer.length)) {
          throw new ShapeError(`A mask of ${length} elements in an array of ${buffer.length}.`);
        }
        const scalars = [...dropoutKeys({ ...draw, site }), dropoutThreshold(probability), 1 / (1 - probability)];
        return this.#job('dropoutMask', [buffer], scalars, length);
      }),
    );
  }

  /** Copies matrices as bytes: scale = largest size / 127, byte = the nearest whole number, ties to even. */
  quantize(jobs: readonly QuantizeJob[]): void {
    this.#dispatch(() =>
      jobs.map((job) => {
        const { matrix, rows, columns, bytes, scales } = job;
        const isByRows = job.along === 'rows';
        const arrays = [
          ['matrix', matrix, rows * columns],
          ['bytes', bytes, Math.ceil((rows * columns) / 4)],
          ['scales', scales, isByRows ? rows : columns],
          ...(isByRows ? ([['factors', job.factors, columns]] as const) : []),
        ] as const;
        for (const [name, { length }, expected] of arrays) {
          if (length === expected) continue;
          throw new ShapeError(`quantize: ${name} of ${length} elements, expected ${expected}.`);
        }
        const buffers = arrays.map(([, buffer]) => buffer);
        return this.#job(isByRows ? 'quantizeRows' : 'quantizeColumns', buffers, [rows, columns], rows * columns);
      }),
    );
  }

  /** Ends the workers. Arrays handed out stay readable. */
  async dispose(): Promise<void> {
    await this.#team.dispose();
  }

  #operandJob(name: 'sumSquares' | 'fillZero', operand: Operand): Job {
    if (!('rows' in operand)) return this.#job(name, [operand], []);
    const { buffer, rows } = operand;
    this.#checkTable(buffer, rows);
    const list = this.#exchange.lists.addWords(rows.current);
    return this.#job(`${name}Rows`, [buffer], [rows.rowLength, list], rows.current.length * rows.rowLength);
  }

  /** @param length elements on the line; when absent, the arrays must all have the length of the first */
  #job(name: OperationName, buffers: readonly Buffer32[], scalars: readonly number[], length?: number): Job {
    const [{ memory, length: elements }] = buffers as [Buffer32];
    for (const buffer of buffers) {
      if (buffer.memory !== memory) {
        throw new ShapeError(`${name}: the arrays lie in different memories. Allocate them as one group.`);
      }
      if (!this.#arena.holds(buffer)) throw new ShapeError(`${name}: an array that this KernelPool did not allocate.`);
      if (length === undefined && buffer.length !== elements) {
        throw new ShapeError(`${name}: arrays of ${elements} and ${buffer.length} elements, expected one length.`);
      }
    }
    const pointers = buffers.map((buffer) => buffer.offset);
    return { operation: operationNames.indexOf(name), length: length ?? elements, memory, pointers, scalars };
  }

  #checkTable(table: Buffer32, { rowCount, rowLength }: RowSet): void {
    if (table.length === rowCount * rowLength) return;
    throw new ShapeError(`A table of ${table.length} elements is not ${rowCount} rows of ${rowLength}.`);
  }

  /** Runs jobs on all threads. @returns the sum over their chunks, in order */
  #dispatch(build: () => Job[]): number {
    this.#team.assertAlive();
    this.#exchange.lists.clear();
    const jobs = build().filter((job) => job.length > 0);
    const { starts, total } = layOutJobs(jobs.map((job) => job.length));
    const chunks = chunkCount(total);
    if (chunks === 0) return 0;
    this.#exchange.publish(jobs, starts, chunks);
    try {
      runClaimedChunks(this.#exchange, (memory) => this.#kernels[memory]!);
    } catch (cause) {
      throw this.#team.abandon('A kernel failed on the calling thread.', cause);
    }
    this.#waitFor(chunks);
    return this.#exchange.partials.subarray(0, chunks).reduce((sum, partial) => sum + partial, 0);
  }

  /** Waits for the chunks that workers have claimed: first awake, then asleep, and never for ever. */
  #waitFor(chunks: number): void {
    const exchange = this.#exchange;
    for (let spin = 0; spin < SPINS; spin++) if (exchange.done === chunks) return;
    let seen = exchange.done;
    let changedAt = performance.now();
    while (seen < chunks) {
      exchange.waitForProgress(seen, 100);
      this.#team.assertAlive();
      const now = performance.now();
      if (exchange.done !== seen) [seen, changedAt] = [exchange.done, now];
      else if (now - changedAt > this.#patienceMs) {
        throw this.#team.abandon(`A kernel worker has made no progress for ${this.#patienceMs} ms.`);
      }
    }
  }
}
