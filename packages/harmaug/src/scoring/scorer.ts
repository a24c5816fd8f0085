/** Anything that says how likely a text is to be unsafe. */
import type { Row } from '../data/row.ts';

export interface Score {
  /** p(unsafe) */
  readonly score: number;
  /** Log-odds where the scorer has them: they tell apart what a probability of 1 does not. */
  readonly margin?: number;
  /** The hazard category that fits best, where the scorer has a head for them. It says nothing of whether the text is unsafe. */
  readonly category?: string;
  /** Whether part of the text was not read. */
  readonly isTruncated?: boolean;
}

/** A row that the scorer cannot judge: it counts as neither safe nor unsafe. */
export interface NoScore {
  readonly reason: string;
}

export interface ScoreRequest {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/** @template Result what a row gets: always a score, or now and then the reason for none */
export interface Scorer<Result extends Score | NoScore = Score | NoScore> {
  readonly name: string;
  /** Where its answers come from: paths, versions, precision. Saved with every figure. */
  readonly about: Readonly<Record<string, string | number | null>>;
  /** At which score a row counts as unsafe, unless asked otherwise. */
  readonly threshold: number;
  /** Hashes of the prompts it learned from (data/prompt-hashes.node.ts), where they are known. */
  readonly seenPrompts?: ReadonlySet<bigint>;
  /** One score a row, in order, or why there is none. */
  score(rows: readonly Pick<Row, 'id' | 'prompt' | 'response'>[], request?: ScoreRequest): Promise<Result[]>;
  dispose(): Promise<void>;
}
