/** Calls to models as they come in: kept by key, written in batches. */
import type { Ledger, SqlRow } from './ledger.node.ts';
import type { CallRecord, Finish, Said, Stage, Tokens, Written } from './records.ts';

const MOST_WAITING = 200; // calls; what SIGKILL can lose beside those under way
const LONGEST_WAIT_MS = 25; // a commit takes a tenth of one

/**
 * Calls wait for at most 25 ms or 200 of them, and are then committed together. A call that failed for good is counted,
 * so that its answer, when it comes in a later run, tells of all attempts.
 */
export class CallWriter {
  readonly #ledger: Ledger;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Map<string, CallRecord>();
  readonly #failed: { key: string; stage: Stage; problem: string }[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param onError told of a commit that failed while nobody waited for it */
  constructor(ledger: Ledger, onError: (error: unknown) => void) {
    this.#ledger = ledger;
    this.#onError = onError;
  }

  /** @throws LedgerError where the batch that this call completes cannot be written */
  add(call: CallRecord): void {
    this.#waiting.set(call.key, call);
    this.#later();
  }

  fail(key: string, stage: Stage, problem: string): void {
    this.#failed.push({ key, stage, problem });
    this.#later();
  }

  has(key: string): boolean {
    return this.#waiting.has(key) || hasCall(this.#ledger, key);
  }

  /** Commits what waits. @throws LedgerError; what waited is then lost */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const calls = [...this.#waiting.values()];
    const failed = this.#failed.splice(0);
    this.#waiting.clear();
    if (calls.length + failed.length === 0) return;
    const at = Date.now();
    this.#ledger.transaction(() => {
      for (const call of calls) insertCall(this.#ledger, call, at);
      for (const { key, stage, problem } of failed) {
        this.#ledger.run(
          `INSERT INTO failures VALUES (?, ?, 1, ?, ?)
           ON CONFLICT (key) DO UPDATE SET attempts = attempts + 1, problem = excluded.problem, at = excluded.at`,
          ...[key, stage, problem, at],
        );
      }
    });
  }

  #later(): void {
    if (this.#waiting.size + this.#failed.length >= MOST_WAITING) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        try {
          this.flush();
        } catch (error) {
          this.#onError(error);
        }
      }, LONGEST_WAIT_MS);
  }
}

function insertCall(ledger: Ledger, call: CallRecord, at: number): void {
  const { key, stage, model, answer, usage, cost, ms } = call;
  const written = answer && 'text' in answer ? answer : null;
  const scored = answer && 'score' in answer ? answer : null;
  const reason = answer && 'reason' in answer ? answer.reason : null;
  const failures = ledger.get('SELECT attempts FROM failures WHERE key = ?', key);
  ledger.run(
    'INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[key, stage, model, written?.text ?? null, written?.finish ?? null],
    ...[scored?.score ?? null, scored?.logOdds ?? null, scored?.category ?? null, reason],
    ...[
      Math.round(usage.promptTokens),
      Math.round(usage.completionTokens),
      cost,
      1 + Number(failures?.attempts ?? 0),
      ms,
      at,
    ],
  );
  if (failures) ledger.run('DELETE FROM failures WHERE key = ?', key);
}

export function hasCall(ledger: Ledger, key: string): boolean {
  return ledger.get('SELECT 1 FROM calls WHERE key = ?', key) !== undefined;
}

export function writtenOf(ledger: Ledger, key: string): Written | null {
  const row = ledger.get('SELECT text, finish FROM calls WHERE key = ?', key);
  return row?.finish ? { text: String(row.text), finish: row.finish as Finish } : null;
}

export function saidOf(ledger: Ledger, key: string): Said | null {
  const row = ledger.get('SELECT score, log_odds, category, reason FROM calls WHERE key = ?', key);
  if (!row) return null;
  return row.reason === null ? scoredOf(row) : { reason: String(row.reason) };
}

/** Certain verdicts have infinite log-odds, which SQLite keeps as they are. */
function scoredOf({ score, log_odds, category }: SqlRow): Said {
  return { score: Number(score), logOdds: Number(log_odds), category: category === null ? null : String(category) };
}

export interface Spent {
  readonly calls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the calls that have a price. */
  readonly cost: number;
  readonly unpriced: number;
}

/** What all calls of the folder have taken, of one stage or every one. */
export function spentBy(ledger: Ledger, stage?: Stage): Spent {
  const row = ledger.get(
    `SELECT count(*) AS calls, total(prompt_tokens) AS prompt, total(completion_tokens) AS completion,
            total(cost) AS cost, count(*) - count(cost) AS unpriced
     FROM calls WHERE ?1 IS NULL OR stage = ?1`,
    stage ?? null,
  )!;
  return {
    calls: Number(row.calls),
    promptTokens: Number(row.prompt),
    completionTokens: Number(row.completion),
    cost: Number(row.cost),
    unpriced: Number(row.unpriced),
  };
}

/** Mean usage of a model's calls so far; `null` before the first. */
export function meanUsage(ledger: Ledger, stage: Stage, model: string): Tokens | null {
  const row = ledger.get(
    'SELECT avg(prompt_tokens) AS prompt, avg(completion_tokens) AS completion FROM calls WHERE stage = ? AND model = ?',
    ...[stage, model],
  )!;
  return row.prompt === null ? null : { promptTokens: Number(row.prompt), completionTokens: Number(row.completion) };
}
