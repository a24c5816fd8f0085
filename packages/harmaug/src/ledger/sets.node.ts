/** The rows that a stage has made, in order: what the next one reads. */
import { createHash } from 'node:crypto';
import type { Ledger, SqlRow } from './ledger.node.ts';

export type Origin = 'generate' | 'import';
export type RowState = 'kept' | 'rejected' | 'spare';
export type ResponseKind = 'prompt' | 'refusal' | 'compliant' | 'imported';

export interface InstructionRow {
  readonly id: string;
  readonly kind: string;
  readonly category: string | null;
  readonly text: string;
  readonly state: RowState;
  readonly reason: string | null;
  readonly duplicateOf: string | null;
  readonly model: string | null;
  /** What it was made from, without texts but for the prefix. */
  readonly about: Readonly<Record<string, unknown>>;
}

export interface PairRow {
  readonly id: string;
  readonly instruction: string;
  readonly responseKind: ResponseKind;
  readonly response: string | null;
  readonly state: 'kept' | 'rejected';
  readonly reason: string | null;
  readonly model: string | null;
  readonly call: string | null;
  readonly isRefusal: boolean | null;
  readonly isCut: boolean | null;
  readonly softLabel?: number | null;
  readonly label?: number | null;
}

export interface LabelRow {
  readonly pair: string;
  readonly softLabel: number | null;
  readonly logOdds: number | null;
  readonly category: string | null;
  readonly spread: number | null;
  readonly isBoundary: boolean | null;
  readonly isDisputed: boolean | null;
  readonly reason: string | null;
  readonly teacher: string;
}

export interface SetFacts {
  /** Hash of the settings that the rows depend on. */
  readonly settings: string;
  /** Hash of the rows they were made from. */
  readonly input: string;
  readonly isComplete: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
}

type SetStage = 'generate' | 'respond' | 'label';

// imported rows come first, in the order they came in: generated ones are compared with them, never the other way round
const FIRST_GENERATED = 2 ** 40;

const asBit = (value: boolean | null) => (value === null ? null : Number(value));

/**
 * Generated instructions as they are decided, set aside on disk until they replace the current set at once. Those of
 * earlier sets stay in the ledger without a place.
 */
export class InstructionDraft {
  readonly #ledger: Ledger;
  #position = FIRST_GENERATED;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.run('DROP TABLE IF EXISTS temp.draft');
    ledger.run('CREATE TEMP TABLE draft AS SELECT * FROM main.instructions WHERE 0');
  }

  /** @param rows further ones, in the order of the plan */
  add(rows: readonly InstructionRow[]): void {
    this.#ledger.transaction(() => {
      for (const row of rows) putInstruction(this.#ledger, 'temp.draft', row, 'generate', this.#position++);
    });
  }

  publish(set: SetFacts): void {
    const ledger = this.#ledger;
    ledger.transaction(() => {
      ledger.run("UPDATE instructions SET position = NULL WHERE position IS NOT NULL AND origin = 'generate'");
      ledger.run('INSERT OR REPLACE INTO main.instructions SELECT * FROM temp.draft ORDER BY position');
      publishSet(ledger, 'generate', set);
    });
  }
}

/** Adds imported instructions behind those that are there; the same row again changes nothing. @returns whether it is new */
export function importInstruction(ledger: Ledger, row: InstructionRow): boolean {
  if (ledger.get('SELECT 1 FROM instructions WHERE id = ?', row.id)) return false;
  const last = ledger.get('SELECT max(position) AS last FROM instructions WHERE position < ?', FIRST_GENERATED)!.last;
  putInstruction(ledger, 'instructions', row, 'import', last === null ? 0 : Number(last) + 1);
  return true;
}

function putInstruction(
  ledger: Ledger,
  table: 'instructions' | 'temp.draft',
  row: InstructionRow,
  origin: Origin,
  position: number,
): void {
  const { id, kind, category, text, state, reason, duplicateOf, model, about } = row;
  ledger.run(
    `INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[id, position, origin, kind, category, text, state, reason, duplicateOf, model, JSON.stringify(about)],
  );
}

/** Replaces the current pairs but for imported ones. */
export function publishPairs(ledger: Ledger, rows: Iterable<PairRow>, set: SetFacts): void {
  ledger.transaction(() => {
    ledger.run("UPDATE pairs SET position = NULL WHERE position IS NOT NULL AND response_kind <> 'imported'");
    let position = FIRST_GENERATED;
    for (const row of rows) putPair(ledger, row, position++);
    publishSet(ledger, 'respond', set);
  });
}

/** @returns whether it is new */
export function importPair(ledger: Ledger, row: PairRow): boolean {
  if (ledger.get('SELECT 1 FROM pairs WHERE id = ?', row.id)) return false;
  const last = ledger.get('SELECT max(position) AS last FROM pairs WHERE position < ?', FIRST_GENERATED)!.last;
  putPair(ledger, row, last === null ? 0 : Number(last) + 1);
  return true;
}

function putPair(ledger: Ledger, row: PairRow, position: number): void {
  const { id, instruction, responseKind, response, state, reason, model, call, isRefusal, isCut } = row;
  ledger.run(
    'INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[id, position, instruction, responseKind, response, state, reason, model, call],
    ...[asBit(isRefusal), asBit(isCut), row.softLabel ?? null, row.label ?? null],
  );
}

/** Labels as they are worked out, set aside until they replace the current ones at once. */
export class LabelDraft {
  readonly #ledger: Ledger;
  #position = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    ledger.run('DROP TABLE IF EXISTS temp.label_draft');
    ledger.run('CREATE TEMP TABLE label_draft AS SELECT * FROM main.labels WHERE 0');
  }

  add(rows: readonly LabelRow[]): void {
    this.#ledger.transaction(() => {
      for (const row of rows) {
        const { pair, softLabel, logOdds, category, spread, isBoundary, isDisputed, reason, teacher } = row;
        this.#ledger.run(
          'INSERT INTO temp.label_draft VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
          ...[pair, this.#position++, softLabel, logOdds, category, spread],
          ...[asBit(isBoundary), asBit(isDisputed), reason, teacher],
        );
      }
    });
  }

  publish(set: SetFacts): void {
    const ledger = this.#ledger;
    ledger.transaction(() => {
      ledger.run('UPDATE labels SET position = NULL WHERE position IS NOT NULL');
      ledger.run('INSERT OR REPLACE INTO main.labels SELECT * FROM temp.label_draft ORDER BY position');
      publishSet(ledger, 'label', set);
    });
  }
}

function publishSet(ledger: Ledger, stage: SetStage, { settings, input, isComplete, facts }: SetFacts): void {
  ledger.run(
    'INSERT OR REPLACE INTO sets VALUES (?, ?, ?, ?, ?, ?)',
    ...[stage, settings, input, Number(isComplete), JSON.stringify(facts), Date.now()],
  );
}

/** What a stage has last given; `null` before its first run. */
export function setOf(ledger: Ledger, stage: SetStage): SetFacts | null {
  const row = ledger.get('SELECT settings, input, is_complete, facts FROM sets WHERE stage = ?', stage);
  if (!row) return null;
  const { settings, input, is_complete, facts } = row;
  return {
    settings: String(settings),
    input: String(input),
    isComplete: is_complete === 1,
    facts: JSON.parse(String(facts)),
  };
}

const PAGE_ROWS = 1000;

/**
 * Rows in order of their position, a page at a time: a statement left open would keep SQLite from emptying its log.
 * @param sql with "position > ?" and a limit of "?", giving `position`
 */
function* inPages(ledger: Ledger, sql: string): Generator<SqlRow> {
  for (let last = -1; ; ) {
    const page = ledger.all(sql, last, PAGE_ROWS);
    yield* page;
    if (page.length < PAGE_ROWS) return;
    last = Number(page.at(-1)!.position);
  }
}

/** Kept instructions of the current set, imported ones first. */
export function* currentInstructions(ledger: Ledger): Generator<InstructionRow & { readonly origin: Origin }> {
  const sql = "SELECT * FROM instructions WHERE position > ? AND state = 'kept' ORDER BY position LIMIT ?";
  for (const row of inPages(ledger, sql)) yield instructionOf(row);
}

function instructionOf(row: SqlRow): InstructionRow & { readonly origin: Origin } {
  return {
    id: String(row.id),
    origin: row.origin as Origin,
    kind: String(row.kind),
    category: row.category as string | null,
    text: String(row.text),
    state: row.state as RowState,
    reason: row.reason as string | null,
    duplicateOf: row.duplicate_of as string | null,
    model: row.model as string | null,
    about: JSON.parse(String(row.about)),
  };
}

export interface Judgeable {
  readonly id: string;
  readonly prompt: string;
  readonly response: string | null;
}

/** Kept pairs of the current set with their instructions. */
export function* currentPairs(ledger: Ledger): Generator<Judgeable> {
  const sql = `SELECT pairs.position, pairs.id, instructions.text, pairs.response
    FROM pairs JOIN instructions ON instructions.id = pairs.instruction
    WHERE pairs.position > ? AND pairs.state = 'kept' ORDER BY pairs.position LIMIT ?`;
  for (const { id, text, response } of inPages(ledger, sql)) {
    yield { id: String(id), prompt: String(text), response: response as string | null };
  }
}

/** Hash of the ids of a current set: the same rows in the same order have the same. */
export function hashOfSet(ledger: Ledger, table: 'instructions' | 'pairs'): string {
  const hash = createHash('sha256');
  const sql = `SELECT position, id FROM ${table} WHERE position > ? AND state = 'kept' ORDER BY position LIMIT ?`;
  for (const { id } of inPages(ledger, sql)) hash.update(String(id));
  return hash.digest('hex').slice(0, 32);
}

/** How many rows of the current set have each state or reason. */
export function countsOf(ledger: Ledger, table: 'instructions' | 'pairs'): Record<string, number> {
  const sql = `SELECT coalesce(reason, state) AS name, count(*) AS n FROM ${table} WHERE position IS NOT NULL GROUP BY 1 ORDER BY 1`;
  return Object.fromEntries(ledger.all(sql).map(({ name, n }) => [String(name), Number(n)]));
}

/** Takes every row out; calls stay, so that making them again asks nothing. */
export function clearRows(ledger: Ledger): void {
  ledger.transaction(() => {
    for (const table of ['labels', 'pairs', 'instructions', 'sets']) ledger.run(`DELETE FROM ${table}`);
  });
}
