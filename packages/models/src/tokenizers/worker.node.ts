import { parentPort, workerData } from 'node:worker_threads';
import type { TokenizerOptions } from './load.ts';
import { openTokenizer } from './open.node.ts';
import { type EncodeRequest, packBatch, type WorkerMessage } from './pool-messages.ts';

/** A worker thread of TokenizerPool: opens the folder's tokenizer once, then encodes what it is sent. */

const port = parentPort!;
const { folder, options } = workerData as { folder: string; options: TokenizerOptions };
const tokenizer = await openTokenizer(folder, options);

const send = (message: WorkerMessage, transfer: ArrayBufferLike[] = []) => {
  port.postMessage(message, transfer as ArrayBuffer[]);
};

port.on('message', ({ job, texts, options: encodeOptions }: EncodeRequest) => {
  try {
    const batch = packBatch(
      texts.map((item) => {
        const [text, pair] = typeof item === 'string' ? [item] : item;
        return tokenizer.encode(text, pair, encodeOptions);
      }),
    );
    send(
      { kind: 'encoded', job, batch },
      Object.values(batch).map((array: Int32Array | Uint8Array) => array.buffer),
    );
  } catch (error) {
    const { name, message } = error as Error;
    send({ kind: 'failed', job, name, message });
  }
});
send({ kind: 'ready' });
