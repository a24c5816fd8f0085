/** One side of the comparison: a model in one form, in one library. */
import type { Precision } from './cases.ts';

export interface Scored {
  readonly ms: number;
  /** p(unsafe) of each text, in the order asked for. */
  readonly scores: readonly number[];
}

export interface InferSide {
  readonly name: string;
  /** Texts by their numbers, in this order, `batchSize` at a time; ours makes batches of its own. */
  many(indices: readonly number[], batchSize: number): Promise<Scored>;
  /** One after the other. @returns milliseconds of each */
  single(indices: readonly number[]): Promise<number[]>;
  /** p(unsafe) of prompts from the library's own pipeline, which takes no exchanges; where it has one. */
  readonly pipeline?: (indices: readonly number[]) => Promise<number[]>;
  dispose(): Promise<void>;
}

/** A form of a model in a peer's library. */
export interface PeerForm {
  /** As the row names it. */
  readonly name: string;
  readonly precision: Precision;
  /** Measured in rows of other precisions too, for information: not part of their ratio. */
  readonly isExtra: boolean;
  readonly open: (folders: Folders, texts: string) => Promise<InferSide>;
}

export interface Folders {
  /** Hugging Face folder, with our exported models in onnx/. */
  readonly ours: string;
  /** The same weights as optimum exports them: model.onnx and what transformers.js wants; `null` without optimum. */
  readonly optimum: string | null;
}

/** A library that takes part. */
export interface InferPeer {
  readonly versions: Readonly<Record<string, string>>;
  readonly forms: readonly PeerForm[];
  end(): Promise<void>;
}
