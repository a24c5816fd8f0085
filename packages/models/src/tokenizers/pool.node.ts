import { Worker } from 'node:worker_threads';
import { ConfigError } from 'onnx-grad';
import { openModelFolder } from '../hub/open-folder.node.ts';
import type { TokenizerOptions } from './load.ts';
import { openTokenizer } from './open.node.ts';
import {
  type EncodedArrays,
  type EncodeRequest,
  type TextOrPair,
  unpackBatch,
  type WorkerMessage,
} from './pool-messages.ts';
import type { EncodeOptions } from './tokenizer.ts';

/** Tokenising in worker threads, so that the thread that trains or serves is never held up by long texts. */

export interface PoolOptions extends TokenizerOptions {
  /** Worker threads, each with a tokenizer of its own. Default 1. */
  readonly threads?: number;
}

export interface EncodeBatchOptions extends EncodeOptions {
  /** Gives the batch up: texts not yet sent to a worker are never encoded. */
  readonly signal?: AbortSignal;
}

interface Task {
  readonly request: EncodeRequest;
  readonly resolve: (encoded: EncodedArrays[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  task: Task | undefined;
}

/** Texts a worker gets at once: few enough to share a batch out evenly, many enough to pay for the message. */
const TEXTS_PER_TASK = 32;
const MAX_THREADS = 64;

/**
 * @example
 * const pool = await TokenizerPool.open('checkpoints/guard', { threads: 2 });
 * const encoded = await pool.encodeBatch(['one text', ['a prompt', 'its response']], { maxLength: 512 });
 * await pool.dispose();
 */
export class TokenizerPool {
  /** The same tokenizer, for what is not worth a message. */
  readonly tokenizer: Awaited<ReturnType<typeof openTokenizer>>;
  readonly #threads: Thread[];
  readonly #waiting: Task[] = [];
  #nextJob = 0;
  #failure: Error | undefined;

  private constructor(tokenizer: TokenizerPool['tokenizer'], workers: readonly Worker[]) {
    this.tokenizer = tokenizer;
    this.#threads = workers.map((worker) => ({ worker, task: undefined }));
    for (const thread of this.#threads) {
      thread.worker.on('message', (message: WorkerMessage) => this.#finish(thread, message));
      thread.worker.on('error', (cause) => this.#fail('A tokenizer worker failed', cause));
      thread.worker.on('exit', (code) => this.#fail(`A tokenizer worker stopped with code ${code}`));
    }
  }

  /**
   * Starts the threads and opens the tokenizer of the folder or hub id in each.
   * @throws FormatError as `openTokenizer` does; ConfigError for a bad number of threads
   */
  static async open(name: string, { threads = 1, ...options }: PoolOptions = {}): Promise<TokenizerPool> {
    if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
      throw new ConfigError(`threads must be a whole number from 1 to ${MAX_THREADS}, got ${threads}.`);
    }
    const { folder } = await openModelFolder(name, { parts: 'tokenizer' });
    const tokenizer = await openTokenizer(folder, options); // a bad folder fails here, with an error of the right class
    const url = new URL(import.meta.url.endsWith('.ts') ? './worker.node.ts' : './worker.node.js', import.meta.url);
    const workers = Array.from({ length: threads }, () => new Worker(url, { workerData: { folder, options } }));
    try {
      await Promise.all(workers.map(untilReady));
    } catch (error) {
      await Promise.all(workers.map((worker) => worker.terminate()));
      throw error;
    }
    return new TokenizerPool(tokenizer, workers);
  }

  /**
   * Encodes texts and pairs, in their order.
   * @throws ConfigError for lengths that cannot be reached; the signal's reason when aborted; an Error that names the
   *   cause when a worker has died or the pool was disposed of
   */
  async encodeBatch(texts: readonly TextOrPair[], options: EncodeBatchOptions = {}): Promise<EncodedArrays[]> {
    const { signal, ...encodeOptions } = options;
    signal?.throwIfAborted();
    const parts: Promise<EncodedArrays[]>[] = [];
    const tasks: Task[] = [];
    for (let begin = 0; begin < texts.length; begin += TEXTS_PER_TASK) {
      const { promise, resolve, reject } = Promise.withResolvers<EncodedArrays[]>();
      const request = {
        job: this.#nextJob++,
        texts: texts.slice(begin, begin + TEXTS_PER_TASK),
        options: encodeOptions,
      };
      tasks.push({ request, resolve, reject });
      parts.push(promise);
    }
    const abort = () => {
      for (const task of tasks) {
        const index = this.#waiting.indexOf(task);
        if (index >= 0) this.#waiting.splice(index, 1);
        task.reject(signal!.reason);
      }
    };
    signal?.addEventListener('abort', abort, { once: true });
    for (const task of tasks) this.#waiting.push(task);
    this.#pump();
    try {
      return (await Promise.all(parts)).flat();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Stops the threads; batches under way are rejected. */
  async dispose(): Promise<void> {
    this.#fail('The tokenizer pool was disposed of');
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Gives waiting tasks to idle threads. */
  #pump(): void {
    if (this.#failure !== undefined) {
      for (const task of this.#waiting.splice(0)) task.reject(this.#failure);
      return;
    }
    for (const thread of this.#threads) {
      while (thread.task === undefined && this.#waiting.length > 0) {
        const task = this.#waiting.shift()!;
        try {
          thread.worker.postMessage(task.request);
          thread.task = task;
        } catch (error) {
          task.reject(error); // texts that are not strings cannot be sent
        }
      }
    }
  }

  #finish(thread: Thread, message: WorkerMessage): void {
    if (message.kind === 'ready') return;
    const task = thread.task;
    thread.task = undefined;
    if (message.kind === 'encoded') task?.resolve(unpackBatch(message.batch));
    else task?.reject(revive(message));
    this.#pump();
  }

  /** The first failure is final: every batch, now and later, is rejected with it. */
  #fail(problem: string, cause?: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error(`${problem}. Open a new pool.`, cause === undefined ? undefined : { cause });
    for (const thread of this.#threads) thread.task?.reject(this.#failure);
    this.#pump();
  }
}

/** Errors lose their class on the way between threads. The caller's own mistakes come back as what they were. */
function revive({ name, message }: { name: string; message: string }): Error {
  return name === 'ConfigError' ? new ConfigError(message) : new Error(`internal: tokenizer worker: ${message}`);
}

function untilReady(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stopped = (code: number) => reject(new Error(`A tokenizer worker stopped with code ${code} while it started.`));
  worker.once('message', resolve).once('error', reject).once('exit', stopped);
  return promise.finally(() => {
    worker.off('error', reject);
    worker.off('exit', stopped);
  });
}
