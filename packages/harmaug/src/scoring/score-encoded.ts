/** Probabilities of a two-class encoder for many encoded texts. */
import { type BatchLimits, collate, type EncodedText } from '@harmaug/models';
import type { Batch } from 'onnx-grad';

/** Logits (B, 2) of a batch. */
export type ClassifyBatch = (batch: Batch) => Promise<{ readonly data: Float32Array }>;

export interface ScoreOptions {
  /** Tokens of one batch, padding included. */
  readonly maxTokens?: number;
  /** Called with the number of texts scored so far. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Log-odds of the second class, logit₁ - logit₀, in the order of the texts. Texts of similar length share a batch.
 * Keep the log-odds where order matters: over about 37 the probability is 1 and ties with its neighbours.
 */
export async function scoreEncoded(
  classify: ClassifyBatch,
  texts: readonly EncodedText[],
  limits: BatchLimits,
  { maxTokens = 8192, onProgress, signal }: ScoreOptions = {},
): Promise<Float64Array> {
  const order = texts.map((_, index) => index).sort((a, b) => texts[b]!.ids.length - texts[a]!.ids.length);
  const margins = new Float64Array(texts.length);
  for (let done = 0; done < order.length; ) {
    signal?.throwIfAborted();
    const longest = texts[order[done]!]!.ids.length;
    const batch = order.slice(done, done + Math.max(1, Math.floor(maxTokens / longest)));
    const { data } = await classify(
      collate(
        batch.map((index) => texts[index]!),
        limits,
      ),
    );
    batch.forEach((index, row) => {
      margins[index] = data[2 * row + 1]! - data[2 * row]!;
    });
    done += batch.length;
    onProgress?.(done);
  }
  return margins;
}

/** The probability of log-odds. */
export function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}
