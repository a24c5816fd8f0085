/** One process works on a folder at a time: a lock of SQLite's, as the ledger's, which ends with the process. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from 'onnx-grad';

const BUSY = 5; // SQLITE_BUSY, sqlite.org/rescode.html

/**
 * @param what works there: "sweep"
 * @returns what lets it go
 * @throws ConfigError where another process has it
 */
export function lockFolder(folder: string, what: string): () => void {
  const lock = new DatabaseSync(path.join(folder, `${what}.lock`));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if (((cause as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) throw cause;
    throw new ConfigError(`${folder} is in use by another ${what}. Wait for it to end, or give another --out.`, {
      cause,
    });
  }
  return () => lock.close();
}
