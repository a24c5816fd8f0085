import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Exchange, type ExchangeBuffers } from './exchange.ts';
import { instantiateKernels, type Kernels } from './module.ts';
import { runClaimedChunks } from './operations.ts';

/** A thread of the KernelPool: sleeps until there is a dispatch, claims chunks until none is left, and again. */

export interface WorkerSetup {
  readonly buffers: ExchangeBuffers;
  /** Brings memories, in the order of their numbers, and takes the reason of a failure back. */
  readonly port: MessagePort;
}

const { buffers, port } = workerData as WorkerSetup;
const exchange = new Exchange(buffers);
const opened: Kernels[] = [];

/** Memories were posted before the first job that names them was published, so they are there to be taken. */
function kernelsOf(memory: number): Kernels {
  while (opened.length <= memory) {
    const received = receiveMessageOnPort(port);
    if (!received) throw new Error(`internal: memory ${memory} was not announced to the kernel worker`);
    opened.push(instantiateKernels(received.message));
  }
  return opened[memory]!;
}

parentPort!.postMessage('ready');
try {
  while (!exchange.isStopped) {
    const seen = exchange.generation;
    runClaimedChunks(exchange, kernelsOf);
    exchange.waitForWork(seen);
  }
} catch (error) {
  port.postMessage(error);
  exchange.fail();
}
