/** Several run folders of one recipe into one: calls and imported rows, each once. What follows from them is decided anew. */
import type { Ledger } from './ledger.node.ts';

export interface Merged {
  readonly folder: string;
  /** Calls that the ledger did not have. */
  readonly added: number;
  /** Calls that were made in both with another answer; the one that was there is kept. */
  readonly different: number;
  readonly imported: number;
}

/** @throws LedgerError where the other folder holds no run; nothing of it is then taken over */
export function mergeLedger(ledger: Ledger, folder: string): Merged {
  return ledger.withOther(folder, () =>
    ledger.transaction(() => {
      const different = ledger.get(
        `SELECT count(*) AS n FROM other.calls AS theirs JOIN main.calls AS ours USING (key)
         WHERE ours.text IS NOT theirs.text OR ours.score IS NOT theirs.score OR ours.reason IS NOT theirs.reason`,
      )!;
      const added = ledger.run('INSERT OR IGNORE INTO main.calls SELECT * FROM other.calls ORDER BY at, key');
      ledger.run('DELETE FROM main.failures WHERE key IN (SELECT key FROM main.calls)');
      ledger.run('INSERT OR IGNORE INTO main.vectors SELECT * FROM other.vectors');
      return { folder, added, different: Number(different.n), imported: importRows(ledger) };
    }),
  );
}

/** Imported rows keep their order: those of this folder, then those of the other. */
function importRows(ledger: Ledger): number {
  const shift = (table: string, where: string) =>
    Number(ledger.get(`SELECT coalesce(max(position) + 1, 0) AS n FROM main.${table} WHERE ${where}`)!.n);
  const isImported = "origin = 'import'";
  const instructions = ledger.run(
    `INSERT OR IGNORE INTO main.instructions
     SELECT id, position + ?, origin, kind, category, text, state, reason, duplicate_of, model, about
     FROM other.instructions WHERE ${isImported} AND position IS NOT NULL ORDER BY position`,
    shift('instructions', isImported),
  );
  const pairs = ledger.run(
    `INSERT OR IGNORE INTO main.pairs
     SELECT id, position + ?, instruction, response_kind, response, state, reason, model, call, is_refusal, is_cut, soft_label, label
     FROM other.pairs WHERE response_kind = 'imported' AND position IS NOT NULL ORDER BY position`,
    shift('pairs', "response_kind = 'imported'"),
  );
  return instructions + pairs;
}
