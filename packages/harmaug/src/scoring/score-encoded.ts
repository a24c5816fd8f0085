/** Probabilities of a two-class encoder for many encoded texts. */
import { type BatchLimits, collate, type EncodedText } from '@harmaug/models';
import type { Batch } from 'onnx-grad';

/** Logits (B, 2) of a batch, and (B, K) of its hazard categories where the classifier has a head for them. */
export type ClassifyBatch = (batch: Batch) => Promise<{
  readonly logits: Float32Array;
  readonly categories?: Float32Array;
}>;

export interface EncodedScores {
  /** Log-odds of the second class, logit₁ - logit₀. */
  readonly margins: Float64Array;
  /** Number of the category that fits best, -1 without a head for them. */
  readonly categories: Int32Array;
}

export interface ScoreOptions {
  /** Tokens of one batch, padding included. */
  readonly maxTokens?: number;
  /** Called with the number of texts scored so far. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Scores in the order of the texts. Texts of similar length share a batch.
 * Keep the log-odds where order matters: over about 37 the probability is 1 and ties with its neighbours.
 */
export async function scoreEncoded(
  classify: ClassifyBatch,
  texts: readonly EncodedText[],
  limits: BatchLimits,
  { maxTokens = 8192, onProgress, signal }: ScoreOptions = {},
): Promise<EncodedScores> {
  const order = texts.map((_, index) => index).sort((a, b) => texts[b]!.ids.length - texts[a]!.ids.length);
  const margins = new Float64Array(texts.length);
  const best = new Int32Array(texts.length).fill(-1);
  for (let done = 0; done < order.length; ) {
    signal?.throwIfAborted();
    const longest = texts[order[done]!]!.ids.length;
    const batch = order.slice(done, done + Math.max(1, Math.floor(maxTokens / longest)));
    const { logits, categories } = await classify(
      collate(
        batch.map((index) => texts[index]!),
        limits,
      ),
    );
    batch.forEach((index, row) => {
      margins[index] = logits[2 * row + 1]! - logits[2 * row]!;
      if (!categories) return;
      const count = categories.length / batch.length;
      const ofRow = categories.subarray(row * count, (row + 1) * count);
      best[index] = ofRow.indexOf(Math.max(...ofRow));
    });
    done += batch.length;
    onProgress?.(done);
  }
  return { margins, categories: best };
}

/** The probability of log-odds. */
export function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}
