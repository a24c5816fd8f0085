/** What a teacher says of a prompt, or of a prompt with its response: how likely it is unsafe, or that it cannot say. */
import type { Row } from '../data/row.ts';
import type { Usage } from '../providers/provider.ts';

/** What is judged. */
export type Pair = Pick<Row, 'id' | 'prompt' | 'response'>;

export type AbstentionReason =
  /** The model never came to the place where its verdict stands: it refused, or talked on. */
  | 'no-verdict'
  /** A verdict word is not among the tokens that came with probabilities. */
  | 'word-missing'
  | 'not-a-number'
  | 'too-long'
  /** The family judges responses alone, and there is none. */
  | 'no-response'
  /** One of several teachers abstained. */
  | 'member-abstained';

export interface Label {
  readonly kind: 'label';
  /** p(unsafe) */
  readonly probability: number;
  /** ln p(unsafe) - ln p(safe): tells apart what a probability of 1 does not. */
  readonly logOdds: number;
  readonly category?: string;
  /** Of each member, where several were averaged. */
  readonly members?: readonly number[];
  readonly usage: Usage;
}

/** No label. Never to be read as safe. */
export interface Abstention {
  readonly kind: 'abstention';
  readonly reason: AbstentionReason;
  /** One line, without any text of the row or the model. */
  readonly detail: string;
  readonly usage: Usage;
}

export type Verdict = Label | Abstention;

export interface Teacher {
  readonly name: string;
  /** Where its verdicts come from, without secrets. */
  readonly about: Readonly<Record<string, string | number>>;
  /** Rows it is asked at once. */
  readonly concurrency: number;
  /** @throws ProviderError for a call that failed for good, which says nothing about the row */
  judge(pair: Pair, signal?: AbortSignal): Promise<Verdict>;
  dispose(): Promise<void>;
}
