/**
 * A run's memory: every call with its usage, every row with its provenance, in one SQLite file of a private folder.
 *
 * One process writes at a time, held by a lock that ends with the process. SIGKILL loses the calls under way and those
 * answered within the last 25 ms; everything committed before stays, and a power cut leaves the file consistent.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { asLedgerError, LedgerError } from './errors.node.ts';
import { LEDGER_TABLES, LEDGER_VERSION } from './schema.ts';

const LEDGER_FILE = 'ledger.sqlite';

const LOCK_FILE = 'ledger.lock';
const CACHE_KIB = 65_536; // SQLite's own 2 MiB make a million keys slow

export type SqlRow = Readonly<Record<string, string | number | Uint8Array | null>>;

export class Ledger {
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #lock: DatabaseSync | null;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(file: string, db: DatabaseSync, lock: DatabaseSync | null) {
    this.file = file;
    this.#db = db;
    this.#lock = lock;
  }

  /**
   * Opens a run folder's ledger for writing, and makes both where they are not there.
   * @throws LedgerError where another process has it, or it cannot be written
   */
  static open(folder: string): Ledger {
    const file = path.join(folder, LEDGER_FILE);
    return guarded(file, () => {
      makePrivate(folder);
      const lockFile = path.join(folder, LOCK_FILE);
      const lock = new DatabaseSync(lockFile);
      let db: DatabaseSync | undefined;
      try {
        lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
        db = new DatabaseSync(file);
        for (const own of [file, lockFile]) chmodSync(own, 0o600);
        db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000');
        db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
        prepareTables(db, file);
        return new Ledger(file, db, lock);
      } catch (error) {
        db?.close();
        lock.close();
        throw error;
      }
    });
  }

  /** Opens it for reading, beside whoever writes. @throws LedgerError where there is none */
  static openToRead(folder: string): Ledger {
    const file = path.join(folder, LEDGER_FILE);
    if (!existsSync(file)) throw new LedgerError(`${folder} holds no run: there is no ${LEDGER_FILE} in it.`, { file });
    return guarded(file, () => {
      const db = openReadOnly(file);
      try {
        checkVersion(db, file);
        return new Ledger(file, db, null);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  /** In memory: what a plan reads where no run has begun. */
  static empty(): Ledger {
    const db = new DatabaseSync(':memory:');
    prepareTables(db, 'memory');
    return new Ledger('memory', db, null);
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return guarded(this.file, () => Number(this.#prepare(sql).run(...values).changes));
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return guarded(this.file, () => this.#prepare(sql).get(...values) as SqlRow | undefined);
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return guarded(this.file, () => this.#prepare(sql).all(...values) as SqlRow[]);
  }

  /** Row by row, in bounded memory. Rows written meanwhile may or may not come. */
  *each(sql: string, ...values: SQLInputValue[]): Generator<SqlRow> {
    const rows = guarded(this.file, () => this.#db.prepare(sql).iterate(...values)) as Iterator<SqlRow>;
    try {
      for (;;) {
        const { done, value } = guarded(this.file, () => rows.next());
        if (done) return;
        yield value;
      }
    } finally {
      rows.return?.();
    }
  }

  /** All of it or nothing. */
  transaction<Result>(work: () => Result): Result {
    return guarded(this.file, () => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        // a full disk has ended the transaction already
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Runs `work` with another ledger's tables as schema `other`. */
  withOther<Result>(folder: string, work: () => Result): Result {
    Ledger.openToRead(folder).close();
    this.run('ATTACH DATABASE ? AS other', path.join(folder, LEDGER_FILE));
    try {
      return work();
    } finally {
      this.#statements.clear();
      this.run('DETACH DATABASE other');
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
    this.#lock?.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function guarded<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw asLedgerError(error, file);
  }
}

/** A folder that its owner alone may enter. One that was there keeps the permissions it was given. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new LedgerError(`${folder} cannot be made (${code}).`, { file: folder, cause });
  }
}

function prepareTables(db: DatabaseSync, file: string): void {
  const isNew = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table'").get()!.n === 0;
  if (!isNew) {
    checkVersion(db, file);
    return;
  }
  db.exec(
    `BEGIN; ${LEDGER_TABLES} INSERT INTO meta VALUES ('format', 'harmaug'), ('version', '${LEDGER_VERSION}'); COMMIT`,
  );
}

function checkVersion(db: DatabaseSync, file: string): void {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'").all();
  const found = tables.length === 0 ? [] : db.prepare('SELECT name, value FROM meta').all();
  const meta = new Map(found.map(({ name, value }) => [name, value]));
  if (meta.get('format') !== 'harmaug') throw new LedgerError(`${file} is no ledger.`, { file });
  const version = meta.get('version');
  if (version === String(LEDGER_VERSION)) return;
  const message = `${file} has version ${version}, expected ${LEDGER_VERSION}. Use the harmaug that made it, or a new folder.`;
  throw new LedgerError(message, { file });
}

/** In a folder that may not be written, a log that is not there cannot be made: then the file alone is all there is. */
function openReadOnly(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    db.exec(`PRAGMA busy_timeout = 10000; PRAGMA cache_size = -${CACHE_KIB}`);
    return db;
  } catch (error) {
    db.close();
    if (existsSync(`${file}-wal`)) throw error;
    const url = pathToFileURL(path.resolve(file));
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, { readOnly: true });
  }
}
