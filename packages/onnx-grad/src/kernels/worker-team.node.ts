import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { DeviceError } from '../errors.ts';
import type { Exchange, ExchangeBuffers } from './exchange.ts';
import type { WorkerSetup } from './worker.node.ts';

/** The worker threads of a KernelPool: started, told of memories, watched, ended. */

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly exited: Promise<void>;
}

/** Under Node's type stripping this file ends in .ts, in the built package in .js; the worker stands beside it. */
export const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './worker.node.ts' : './worker.node.js',
  import.meta.url,
);

export class WorkerTeam {
  readonly #members: Member[] = [];
  readonly #exchange: Exchange;
  #failure: DeviceError | undefined;
  #isDisposed = false;

  private constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /**
   * Starts `count` workers and waits until all are ready.
   * @throws DeviceError when one cannot start
   */
  static async start(
    count: number,
    exchange: Exchange,
    buffers: ExchangeBuffers,
    url = workerUrl,
  ): Promise<WorkerTeam> {
    const team = new WorkerTeam(exchange);
    try {
      await Promise.all(Array.from({ length: count }, () => team.#add(url, buffers)));
    } catch (error) {
      await team.dispose();
      throw error;
    }
    return team;
  }

  #add(url: URL, buffers: ExchangeBuffers): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerSetup = { buffers, port: port2 };
    // Flags of the process are not for the worker: `node --input-type=module -e` would stop it from loading
    const worker = new Worker(url, { workerData, transferList: [port2], execArgv: [] });
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#members.push({ worker, port: port1, exited });
    return new Promise((resolve, reject) => {
      worker.once('message', () => {
        worker.unref(); // an idle pool does not keep the process alive
        resolve();
      });
      worker.once('error', (cause) => reject(this.abandon('A kernel worker failed.', cause)));
      worker.once('exit', (code) => {
        if (!this.#isDisposed) reject(this.abandon(`A kernel worker ended with exit code ${code}.`));
      });
    });
  }

  /** Every call from now on fails with this; the first reason given stays. */
  abandon(reason: string, cause?: unknown): DeviceError {
    this.#failure ??= new DeviceError(`${reason} Dispose this KernelPool and make a new one.`, { cause });
    return this.#failure;
  }

  /** @throws DeviceError once a worker has failed, or the team is disposed */
  assertAlive(): void {
    if (this.#exchange.hasFailed) {
      const causes = this.#members.map(({ port }) => receiveMessageOnPort(port)?.message);
      this.abandon(
        'A kernel worker failed.',
        causes.find((cause) => cause !== undefined),
      );
    }
    if (this.#failure) throw this.#failure;
    if (this.#isDisposed) throw new DeviceError('The KernelPool is disposed.');
  }

  /** Tells all workers of the next memory. */
  announce(memory: WebAssembly.Memory): void {
    for (const { port } of this.#members) port.postMessage(memory);
  }

  /** Ends the workers: at once where they are idle, by force where they have not ended after a second. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#exchange.stop();
    await Promise.all(
      this.#members.map(async ({ worker, port, exited }) => {
        worker.ref(); // so that the process lives to see it end
        const force = setTimeout(() => void worker.terminate(), 1000);
        await exited;
        clearTimeout(force);
        port.close();
      }),
    );
  }
}
