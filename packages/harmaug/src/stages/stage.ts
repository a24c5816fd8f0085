/** What all stages are given and give back. */
import type { CallRecord, Stage } from '../ledger/records.ts';

/** Why calls are missing beside those that failed. */
export type Stop = 'signal' | 'budget' | 'failures';

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export interface StageProgress {
  readonly stage: Stage;
  /** Round of the stage, from 1; 1 where there are none. */
  readonly round: number;
  readonly done: number;
  readonly total: number;
  /** Attempts that failed for good; they may be asked again before the end. */
  readonly failed: number;
  readonly callsPerSecond: number;
  readonly leftMs: number;
  /** Rows rejected so far, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Of this run. */
  readonly tokens: number;
  readonly cost: number | null;
}

export interface StageResult extends Taken {
  readonly stage: Stage;
  /** Calls made now. */
  readonly made: number;
  /** Calls whose answers were there. */
  readonly reused: number;
  readonly failed: number;
  /** Why there is more to do; `shard`: the rest is for the other shards. */
  readonly stopped: Stop | 'shard' | null;
  readonly lastFailure: string | null;
  readonly isComplete: boolean;
  /** Rows of the set, and how many were wanted of it. */
  readonly kept: number;
  readonly wanted: number;
  /** Rows that are not in the set, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Further facts of the stage. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What calls took. */
export interface Taken {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** `null` where a call has no price. */
  readonly cost: number | null;
  readonly seconds: number;
}

/** Counts what comes in, for progress and results. */
export class Tally {
  readonly #startMs = performance.now();
  readonly #reasons: Record<string, number> = {};
  #calls = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #cost: number | null = 0;

  get taken(): Taken {
    return {
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      cost: this.#cost,
      seconds: (performance.now() - this.#startMs) / 1000,
    };
  }

  /**
   * Follows a batch of calls.
   * @param total calls to be made
   * @param reasonOf why a call's answer is no row of the set, as far as it tells by itself
   */
  watch(
    { stage, round, total }: Pick<StageProgress, 'stage' | 'round' | 'total'>,
    onProgress: ((progress: StageProgress) => void) | undefined,
    reasonOf: (call: CallRecord) => string | null,
  ): { readonly onCall: (call: CallRecord) => void; readonly onFailure: () => void } {
    let [done, failed] = [0, 0];
    const report = () => {
      const { promptTokens, completionTokens, cost, seconds } = this.taken;
      const callsPerSecond = this.#calls / Math.max(seconds, 1e-3);
      const leftMs = callsPerSecond === 0 ? Number.NaN : ((total - done) / callsPerSecond) * 1000;
      const tokens = promptTokens + completionTokens;
      onProgress?.({ stage, round, done, total, failed, callsPerSecond, leftMs, reasons: this.#reasons, tokens, cost });
    };
    return {
      onCall: (call) => {
        done += 1;
        this.#count(call);
        const reason = reasonOf(call);
        if (reason !== null) this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
        report();
      },
      onFailure: () => {
        failed += 1;
        report();
      },
    };
  }

  #count({ usage, cost }: CallRecord): void {
    this.#calls += 1;
    this.#promptTokens += usage.promptTokens;
    this.#completionTokens += usage.completionTokens;
    this.#cost = this.#cost === null || cost === null ? null : this.#cost + cost;
  }
}
