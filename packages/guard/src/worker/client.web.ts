/** A guard whose worker does the work: the same methods, answered by messages. */
import { ConfigError, DeviceError } from 'onnx-grad';
import { type CheckOptions, checkRequest, type GuardAnswer, type GuardApi, type GuardRequest } from '../guard.ts';
import type { LoadProgress } from '../load.ts';
import type { WebOptions } from '../load.web.ts';
import type { GuardSettings } from '../settings.ts';
import type { GuardFiles } from '../sources/blobs.ts';
import { readEveryTokens, type StreamApi, type StreamOptions } from '../stream.ts';
import { type CallName, type Calls, type FromWorker, receiveError, type ToWorker } from './messages.web.ts';

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export type OpenWorker = () => Worker;

const openWorker: OpenWorker = () =>
  new Worker(new URL('./worker.web.js', import.meta.url), { type: 'module', name: 'harmaug-guard' });

/** @throws what loading throws; DeviceError for a worker that does not start */
export async function loadInWorker(
  from: string | GuardFiles,
  { signal, onProgress, ...options }: WebOptions,
  open: OpenWorker = openWorker,
): Promise<GuardApi> {
  signal?.throwIfAborted();
  const port = new Port(open());
  try {
    const settings = await port.ask('load', [from, options], signal, onProgress);
    return new WorkerGuard(port, settings);
  } catch (error) {
    port.close();
    throw error;
  }
}

class Port {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** Why nothing is answered any more. */
  #failure: Error | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      const why = event.message ? ` (${event.message.split('\n')[0]})` : '';
      const remedy =
        'It is the file worker.web.js, beside the script that loads the guard; or pass worker: () => new Worker(…).';
      this.#end(new DeviceError(`The guard's worker does not run${why}. ${remedy}`));
    };
  }

  /** Rejects with the signal's reason at once; the worker stops as soon as it can. */
  ask<Name extends CallName>(
    call: Name,
    args: Calls[Name]['args'],
    signal?: AbortSignal,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<Calls[Name]['answer']> {
    const id = this.send(call, args);
    return new Promise<Calls[Name]['answer']>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      const stop = (): void => {
        this.post({ id, call: 'abort' });
        this.#waiting.delete(id);
        reject(signal!.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
      const leave = (): void => signal?.removeEventListener('abort', stop);
      this.#waiting.set(id, {
        resolve: (answer) => {
          leave();
          resolve(answer);
        },
        reject: (reason) => {
          leave();
          reject(reason);
        },
        ...(onProgress ? { onProgress } : {}),
      });
      if (signal?.aborted) stop();
    });
  }

  /** @returns the call's number */
  send<Name extends CallName>(call: Name, args: Calls[Name]['args']): number {
    this.#last += 1;
    this.post({ id: this.#last, call, args } as ToWorker);
    return this.#last;
  }

  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  close(): void {
    this.#worker.terminate();
    this.#end(new ConfigError('This guard was disposed of.'));
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }

  #receive(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ('progress' in message) {
      waiting.onProgress?.(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if ('error' in message) waiting.reject(receiveError(message.error));
    else waiting.resolve(message.answer as never);
  }
}

class WorkerGuard implements GuardApi {
  readonly settings: GuardSettings;
  readonly #port: Port;
  #isDisposed = false;
  /** A stream that is let go before its end need not be kept there. */
  readonly #forgotten = new FinalizationRegistry<number>((id) => {
    if (!this.#isDisposed) this.#port.post({ id, call: 'drop' });
  });

  constructor(port: Port, settings: GuardSettings) {
    this.#port = port;
    this.settings = settings;
  }

  async check(request: GuardRequest, { signal }: CheckOptions = {}): Promise<GuardAnswer> {
    this.#expectOpen();
    checkRequest(request);
    return this.#port.ask('check', [request], signal);
  }

  async checkMany(requests: readonly GuardRequest[], { signal }: CheckOptions = {}): Promise<GuardAnswer[]> {
    this.#expectOpen();
    requests.forEach(checkRequest);
    return this.#port.ask('checkMany', [requests], signal);
  }

  stream({ prompt }: Pick<GuardRequest, 'prompt'>, options: StreamOptions = {}): StreamApi {
    this.#expectOpen();
    checkRequest({ prompt });
    const stream = new WorkerStream(this.#port, prompt, options);
    this.#forgotten.register(stream, stream.id);
    return stream;
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.#port.ask('dispose', []);
    this.#port.close();
  }

  #expectOpen(): void {
    if (this.#isDisposed) throw new ConfigError('This guard was disposed of.');
  }
}

class WorkerStream implements StreamApi {
  readonly id: number;
  readonly #port: Port;
  readonly #signal: AbortSignal | undefined;

  constructor(port: Port, prompt: string, { signal, ...options }: StreamOptions) {
    readEveryTokens(options);
    this.#port = port;
    this.#signal = signal;
    const id = port.send('stream', [{ prompt }, options]);
    this.id = id;
    const stop = (): void => port.post({ id, call: 'abort' });
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  }

  async push(chunk: string): Promise<GuardAnswer | null> {
    return this.#port.ask('push', [this.id, chunk]).catch((error) => this.#fail(error));
  }

  async end(): Promise<GuardAnswer> {
    return this.#port.ask('end', [this.id]).catch((error) => this.#fail(error));
  }

  /** The caller's own reason, where the caller stopped it. */
  #fail(error: Error): never {
    throw this.#signal?.aborted && error.name === 'AbortError' ? this.#signal.reason : error;
  }
}
