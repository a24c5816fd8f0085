/**
 * Calls made side by side and written down as they come. One that fails for good stays without an answer: it is asked
 * again at the end, and by the next run.
 */
import { messageOf, ProviderError } from '../errors.ts';
import type { CallWriter } from '../ledger/calls.node.ts';
import type { CallRecord, Said, Stage, Tokens, Written } from '../ledger/records.ts';
import type { Budget } from './budget.ts';
import { costOf, type Price } from './prices.ts';
import type { Stop } from './stage.ts';

export interface Job {
  readonly key: string;
  readonly model: string;
  readonly price: Price | null;
  /** The most that it may take, for the budget. */
  readonly most: Tokens;
  /** @throws ProviderError */
  readonly call: (signal: AbortSignal) => Promise<{ readonly answer: Written | Said; readonly usage: Tokens }>;
}

/** Jobs that share a model: so many of them at once. */
export interface Lane {
  readonly concurrency: number;
  readonly jobs: Iterable<Job>;
}

export interface RunCallsOptions {
  readonly stage: Stage;
  readonly writer: CallWriter;
  readonly budget: Budget | null;
  /** No new call is begun once it is aborted; those under way have some time to end. */
  readonly signal: AbortSignal;
  readonly onCall: (call: CallRecord) => void;
  readonly onFailure: () => void;
}

export interface CallsResult {
  readonly made: number;
  readonly failed: number;
  readonly stopped: Stop | null;
  /** Of the last call that failed; it holds no text. */
  readonly lastFailure: string | null;
}

const MOST_PASSES = 3;
const MOST_FAILURES_IN_A_ROW = 25; // then the server is gone, and asking on is waiting for nothing
const GRACE_MS = 30_000;
const LASTING_STATUS = [401, 402, 403, 404];

/**
 * @throws ProviderError for what would fail for every call (no key, no such model, no prefix); LedgerError where answers
 *   cannot be written. Calls that were answered are committed before.
 */
export async function runCalls(lanes: readonly Lane[], options: RunCallsOptions): Promise<CallsResult> {
  const run = new Run(options);
  try {
    let left = lanes;
    for (let pass = 1; ; pass++) {
      const before = run.made;
      const failed = await run.pass(left);
      const count = failed.reduce((sum, { jobs }) => sum + jobs.length, 0);
      const goesOn = count > 0 && run.made > before && pass < MOST_PASSES && run.stopped === null;
      if (!goesOn) return { made: run.made, failed: count, stopped: run.stopped, lastFailure: run.lastFailure };
      left = failed;
    }
  } finally {
    run.end();
    options.writer.flush();
  }
}

class Run {
  readonly #options: RunCallsOptions;
  /** Ends calls under way. */
  readonly #hard = new AbortController();
  readonly #underWay = new Set<string>();
  #graceTimer: NodeJS.Timeout | null = null;
  #failuresInARow = 0;
  #fatal: unknown = null;
  made = 0;
  stopped: Stop | null = null;
  lastFailure: string | null = null;

  constructor(options: RunCallsOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#onSignal, { once: true });
    if (options.signal.aborted) this.#onSignal();
  }

  readonly #onSignal = () => {
    this.stopped ??= 'signal';
    this.#graceTimer = setTimeout(() => this.#hard.abort(this.#options.signal.reason), GRACE_MS);
  };

  /** @returns jobs that failed, by lane */
  async pass(lanes: readonly Lane[]): Promise<(Lane & { readonly jobs: Job[] })[]> {
    const failed = lanes.map(({ concurrency }) => ({ concurrency, jobs: [] as Job[] }));
    const workers = lanes.flatMap(({ jobs, concurrency }, lane) => {
      const queue = jobs[Symbol.iterator]();
      return Array.from({ length: concurrency }, () => this.#work(queue, failed[lane]!.jobs));
    });
    await Promise.all(workers);
    if (this.#fatal !== null) throw this.#fatal;
    return failed;
  }

  end(): void {
    if (this.#graceTimer) clearTimeout(this.#graceTimer);
    this.#options.signal.removeEventListener('abort', this.#onSignal);
  }

  async #work(queue: Iterator<Job>, failed: Job[]): Promise<void> {
    try {
      while (this.stopped === null && this.#fatal === null) {
        const { done, value: job } = queue.next();
        if (done) return;
        // two rows may ask the same
        if (this.#underWay.has(job.key) || this.#options.writer.has(job.key)) continue;
        this.#underWay.add(job.key);
        try {
          if (!(await this.#do(job))) failed.push(job);
        } finally {
          this.#underWay.delete(job.key);
        }
      }
    } catch (error) {
      this.#fatal ??= error;
      this.#hard.abort(error);
    }
  }

  /** @returns whether it is done with, or need not be done */
  async #do(job: Job): Promise<boolean> {
    const { stage, writer, budget, onCall, onFailure } = this.#options;
    const reserved = budget?.amountOf(job.model, job.price, job.most) ?? 0;
    if (budget && !(await budget.reserve(reserved))) {
      this.stopped ??= 'budget';
      return true;
    }
    if (this.stopped !== null) {
      budget?.settle(reserved, 0);
      return true;
    }
    const startMs = performance.now();
    let used = 0;
    try {
      const { answer, usage } = await this.#ask(job);
      const cost = costOf(job.price, usage);
      used = budget?.amountOf(job.model, job.price, usage) ?? 0;
      const { key, model } = job;
      const call: CallRecord = { key, stage, model, answer, usage, cost, ms: performance.now() - startMs };
      writer.add(call);
      this.made += 1;
      this.#failuresInARow = 0;
      onCall(call);
      return true;
    } catch (error) {
      if (this.#hard.signal.aborted) return true;
      if (!(error instanceof ProviderError) || lasts(error)) throw error;
      writer.fail(job.key, stage, error.status === undefined ? error.problem : `${error.problem} ${error.status}`);
      this.lastFailure = messageOf(error);
      onFailure();
      this.#failuresInARow += 1;
      if (this.#failuresInARow >= MOST_FAILURES_IN_A_ROW) this.stopped ??= 'failures';
      return false;
    } finally {
      budget?.settle(reserved, used);
    }
  }

  /** What a model can never answer is an answer, too. */
  async #ask(job: Job): Promise<{ answer: Written | Said; usage: Tokens }> {
    try {
      return await job.call(this.#hard.signal);
    } catch (error) {
      const finish = error instanceof ProviderError ? finishOf(error) : null;
      if (finish === null) throw error;
      const usage = { promptTokens: 0, completionTokens: 0 };
      if (this.#options.stage !== 'label') return { answer: { text: '', finish }, usage };
      return { answer: { reason: finish === 'filter' ? 'filtered' : 'text too long' }, usage };
    }
  }
}

function lasts({ problem, status }: ProviderError): boolean {
  return problem === 'unsupported' || (status !== undefined && LASTING_STATUS.includes(status));
}

/** Azure and others refuse what their filter stops with a 400 that says so. */
function finishOf({ problem, status, message }: ProviderError): 'too-long' | 'filter' | null {
  if (problem === 'too-long') return 'too-long';
  const isFiltered = status === 400 && /content[ _-]?(?:filter|management|policy|moderation)/i.test(message);
  return isFiltered ? 'filter' : null;
}
