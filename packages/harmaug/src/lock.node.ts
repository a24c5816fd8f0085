/** One process works on a folder at a time: a lock of SQLite's, as the ledger's, which ends with the process. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from 'onnx-grad';

const BUSY = 5; // SQLITE_BUSY, sqlite.org/rescode.html

/**
 * @param what works there: "sweep". The file `<what>.lock` is there meanwhile
 * @returns what lets it go
 * @throws ConfigError where another process has it
 */
export function lockFolder(folder: string, what: string): () => void {
  const file = path.join(folder, `${what}.lock`);
  const lock = new DatabaseSync(file);
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) throw cause;
    throw new ConfigError(`${folder} is in use by another ${what}. Wait for it to end, or give another --out.`, {
      cause,
    });
  }
  return () => {
    try {
      rmSync(file, { force: true }); // while it is held: who opens it later makes another
    } catch {
      // Windows keeps an open file; it does no harm
    }
    lock.close();
  };
}
