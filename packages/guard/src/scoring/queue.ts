/** Requests of the same moment, scored together: texts of similar length share a batch. */
import { type BatchLimits, collate, type EncodedText } from '@harmaug/models';
import type { Batch } from 'onnx-grad';

/** Logits (B, 2) of a batch, and (B, K) of its hazard categories where the classifier has a head for them. */
export type Classify = (batch: Batch) => Promise<{
  readonly logits: Float32Array;
  readonly categories?: Float32Array;
}>;

export interface Scored {
  /** Log-odds of the second label. */
  readonly margin: number;
  /** Number of the category that fits best, `null` without a head for them. */
  readonly category: number | null;
}

interface Entry {
  readonly text: EncodedText;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (scored: Scored) => void;
  readonly reject: (reason: unknown) => void;
}

const MOST_TOKENS = 1024; // of a batch, padding included; with 4096 MiniLM takes a fifth longer on two cores
const MOST_PADDING = 1.25; // tokens computed for each real one

/** Browsers let timers wait for 4 ms, and have no setImmediate; messages come at once. */
const nextTask: (run: () => void) => unknown =
  typeof setImmediate === 'function'
    ? (run) => setImmediate(run)
    : (run) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          run();
        };
        port2.postMessage(null);
      };

export class ScoreQueue {
  readonly #classify: Classify;
  readonly #limits: BatchLimits;
  #waiting: Entry[] = [];
  #isRunning = false;

  constructor(classify: Classify, limits: BatchLimits) {
    this.#classify = classify;
    this.#limits = limits;
  }

  /** @throws the signal's reason when it is aborted before the text's batch begins */
  score(text: EncodedText, signal?: AbortSignal): Promise<Scored> {
    const scored = new Promise<Scored>((resolve, reject) => {
      this.#waiting.push({ text, signal, resolve, reject });
    });
    if (!this.#isRunning) {
      this.#isRunning = true;
      nextTask(() => void this.#run());
    }
    return scored;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      for (const batch of batchesOf(entries)) {
        await this.#scoreBatch(batch.filter((entry) => !hasLeft(entry)));
        await new Promise<void>((resume) => nextTask(resume)); // aborts and new requests are heard between batches
      }
    }
    this.#isRunning = false;
  }

  async #scoreBatch(batch: readonly Entry[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const texts = batch.map(({ text }) => text);
      const { logits, categories } = await this.#classify(collate(texts, this.#limits));
      const kinds = (categories?.length ?? 0) / batch.length;
      batch.forEach(({ resolve }, row) => {
        const ofRow = categories?.subarray(row * kinds, (row + 1) * kinds);
        resolve({
          margin: logits[2 * row + 1]! - logits[2 * row]!,
          category: ofRow ? ofRow.indexOf(Math.max(...ofRow)) : null,
        });
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

function hasLeft({ signal, reject }: Entry): boolean {
  if (!signal?.aborted) return false;
  reject(signal.reason);
  return true;
}

/** The longest first; a batch ends where it would hold too much, or too much padding. */
function batchesOf(entries: readonly Entry[]): Entry[][] {
  const lengthOf = (entry: Entry): number => entry.text.ids.length;
  const batches: Entry[][] = [];
  let real = 0;
  for (const entry of [...entries].sort((a, b) => lengthOf(b) - lengthOf(a))) {
    const batch = batches.at(-1);
    const computed = batch ? (batch.length + 1) * lengthOf(batch[0]!) : Infinity;
    real += lengthOf(entry);
    if (batch && computed <= MOST_TOKENS && computed <= MOST_PADDING * real) batch.push(entry);
    else {
      batches.push([entry]);
      real = lengthOf(entry);
    }
  }
  return batches;
}
