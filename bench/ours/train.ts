/** The side of the training benchmark that is ours: the same cases as `peers/train_peer.py`, on onnx-grad and models. */

/** An encoder of a given shape with a two-label head, trained on batches of random ids of full length. */
export interface FixedCase {
  readonly family: 'bert' | 'deberta-v2';
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  /** Position embeddings: the larger of 512 and `length`. DeBERTa's other settings are v3's, with 256 buckets. */
  readonly vocab: number;
  readonly batch: number;
  readonly length: number;
  /** Probability, of hidden states and of attention alike; 0 is off. */
  readonly dropout: number;
  readonly threads: number;
}

/** One epoch of labelled prompts on pretrained weights, dropout as their config has it. */
export interface RealCase {
  /** Hugging Face folder of the weights and the tokenizer. */
  readonly model: string;
  /** JSONL with `prompt` and `label`. */
  readonly data: string;
  readonly batch: number;
  readonly maxLength: number;
  readonly threads: number;
}

export interface FixedRun {
  readonly parameters: number;
  /** A whole training step on a fresh batch: forward, backward, clipping to norm 1.0, AdamW. */
  step(): Promise<void>;
  dispose(): Promise<void>;
}

export interface RealRun {
  readonly parameters: number;
  /** How many batches `train` can be asked for. */
  readonly batches: number;
  /** Tokens computed for each real one, over the whole epoch. */
  readonly computedPerReal: number;
  /** A whole training step on the batch of this index, as `FixedRun.step`; `loss` is the batch's mean. */
  train(index: number): Promise<{ samples: number; loss: number }>;
  dispose(): Promise<void>;
}

export interface Ours {
  openFixed(fixed: FixedCase): Promise<FixedRun>;
  /**
   * @param limit number of batches that stand for the epoch, chosen by `spread` (train/spread.ts) from the tokens each
   *              computes; absent: the whole epoch in its order. AdamW 3e-5 constant, weight decay 0.1 but none on
   *              biases and norms, as the peer's.
   */
  openReal(real: RealCase, limit?: number): Promise<RealRun>;
}

export const ours: Ours = {
  async openFixed() {
    throw new Error('Our side of the training benchmark is not there yet (bench/ours/train.ts).');
  },
  async openReal() {
    throw new Error('Our side of the training benchmark is not there yet (bench/ours/train.ts).');
  },
};
