/** What a ledger keeps of a call. */

export type Stage = 'generate' | 'respond' | 'label' | 'probe';

/** How a text ended, or that the prompt did not fit into the model. */
export type Finish = 'stop' | 'length' | 'filter' | 'other' | 'too-long';

export interface Tokens {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** What a model wrote. */
export interface Written {
  readonly text: string;
  readonly finish: Finish;
}

/** What a teacher said. */
export type Said =
  | { readonly score: number; readonly logOdds: number; readonly category: string | null }
  | { readonly reason: string };

export interface CallRecord {
  readonly key: string;
  readonly stage: Stage;
  readonly model: string;
  readonly answer: Written | Said | null;
  readonly usage: Tokens;
  /** By the recipe's prices; `null` without one. */
  readonly cost: number | null;
  readonly ms: number;
}
