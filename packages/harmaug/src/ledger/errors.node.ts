/** What SQLite says, in our words. Its own messages name tables, never texts. */
import { FormatError } from 'onnx-grad';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const problems: Readonly<Record<number, string>> = {
  5: 'is in use by another process. Wait for it to end.',
  6: 'is in use by another process. Wait for it to end.',
  8: 'cannot be written: the folder or file is read-only. Make it writable and run the command again.',
  10: 'cannot be read or written: the disk reports an error.',
  11: 'is damaged.',
  13: 'cannot be written: the disk is full. Free some space and run the command again.',
  14: 'cannot be opened: the folder is missing, or may not be read or written.',
  26: 'is no ledger.',
};

/** The ledger cannot be used. What was recorded before stays as it is. */
export class LedgerError extends FormatError {
  override name = 'LedgerError';
}

/** @param file the ledger's, for the message */
export function asLedgerError(error: unknown, file: string): unknown {
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
  if (code !== 'ERR_SQLITE_ERROR' || errcode === undefined) return error;
  const known = problems[errcode & 0xff];
  return new LedgerError(`${file} ${known ?? `fails: ${message}.`}`, { file, cause: error });
}
