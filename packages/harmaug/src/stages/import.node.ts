/** Import: rows of other sets into a run, instructions to be responded to and pairs to be labelled, or into a file of ours. */
import { ConfigError } from 'onnx-grad';
import { type ReadOptions, streamRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { NearDuplicates } from '../dedup/near-duplicates.ts';
import { hashKey } from '../ledger/key.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import { type InstructionRow, importInstruction, importPair } from '../ledger/sets.node.ts';
import { datasetColumns } from './dataset-columns.ts';
import { readOverlap } from './filters.node.ts';
import type { Pipeline } from './pipeline.node.ts';
import type { Reason } from './reasons.ts';
import { createRowFile } from './row-files.node.ts';
import { Selection } from './selection.ts';

export interface ImportOptions {
  readonly pipeline: Pipeline;
  readonly files: readonly string[];
  readonly read: ReadOptions;
  /** Where the rows say nothing of it. */
  readonly source?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress?: (rows: number) => void;
}

export interface ImportResult {
  readonly rows: number;
  /** Rows that were not there before. */
  readonly added: number;
  /** Of those, rows without a response. */
  readonly instructions: number;
  /** Added, but not to the set, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Records left out in reading, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

const BATCH_ROWS = 500;

/**
 * Adds rows to a run. What overlaps an evaluation set of the recipe is recorded as rejected; so are instructions without
 * a response that nearly repeat one that was imported before. Rows that are there already change nothing.
 */
export async function importRows(ledger: Ledger, options: ImportOptions): Promise<ImportResult> {
  const selection = await openImportSelection(options);
  for (const { id, text } of ledger.each(KNOWN)) selection.addKnown(String(id), String(text));
  const reasons: Record<string, number> = {};
  let [rows, added, instructions] = [0, 0, 0];
  const skipped = await inBatches(options, (batch) => {
    ledger.transaction(() => {
      for (const row of batch) {
        rows += 1;
        const done = addRow(ledger, selection, row, options.source);
        if (!done.isNew) continue;
        added += 1;
        if (row.response === undefined) instructions += 1;
        if (done.reason !== null) reasons[done.reason] = (reasons[done.reason] ?? 0) + 1;
      }
    });
    options.onProgress?.(rows);
  });
  return { rows, added, instructions, reasons, skipped };
}

const KNOWN =
  "SELECT id, text FROM instructions WHERE origin = 'import' AND state = 'kept' AND about NOT LIKE '%\"isPaired\":true%' ORDER BY position";

/** The same into one file of our own columns. @throws ConfigError for an ending that is neither .jsonl nor .parquet */
export async function convertRows(to: string, options: ImportOptions): Promise<ImportResult> {
  const selection = await openImportSelection(options);
  const columns = datasetColumns.filter(({ name }) => CONTRACT.includes(name));
  const file = createRowFile(to, columns);
  const reasons: Record<string, number> = {};
  let [rows, added, instructions] = [0, 0, 0];
  try {
    const skipped = await inBatches(options, (batch) => {
      for (const { id, prompt, response = null, softLabel = null, label = null, source, category = null } of batch) {
        rows += 1;
        if (selection.hasOverlap(prompt)) {
          reasons['benchmark-overlap'] = (reasons['benchmark-overlap'] ?? 0) + 1;
          continue;
        }
        added += 1;
        if (response === null) instructions += 1;
        const origin = source ?? options.source ?? null;
        file.add({ id, prompt, response, soft_label: softLabel, label, source: origin, category });
      }
      options.onProgress?.(rows);
    });
    if (added === 0) throw new ConfigError(`There is nothing to write to ${to}: no row is left.`);
    file.finish();
    return { rows, added, instructions, reasons, skipped };
  } catch (error) {
    file.discard();
    throw error;
  }
}

const CONTRACT: readonly string[] = ['id', 'prompt', 'response', 'soft_label', 'label', 'source', 'category'];

async function openImportSelection(options: ImportOptions): Promise<Selection> {
  const { nearDuplicates } = options.pipeline.filters;
  return new Selection({
    near: nearDuplicates === false ? null : new NearDuplicates(nearDuplicates),
    overlap: await readOverlap(options.pipeline, options),
    vectorThreshold: null,
  });
}

async function inBatches(
  { files, read, signal }: ImportOptions,
  take: (batch: readonly Row[]) => void,
): Promise<Record<string, number>> {
  const skipped = new Map<string, number>();
  let batch: Row[] = [];
  for await (const row of streamRows(files, read, skipped)) {
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    take(batch);
    batch = [];
    signal.throwIfAborted();
  }
  take(batch);
  return Object.fromEntries(skipped);
}

function addRow(
  ledger: Ledger,
  selection: Selection,
  row: Row,
  source: string | undefined,
): { readonly isNew: boolean; readonly reason: Reason | null } {
  const { id: name, prompt, response, label = null, softLabel = null, category = null } = row;
  const isPaired = response !== undefined;
  const id = hashKey(['import', isPaired, prompt]);
  const own = { name, source: row.source ?? source, ...(isPaired ? { isPaired } : { label, softLabel }) };
  const base = { id, kind: 'imported', category, text: prompt, model: null, about: own };
  if (!isPaired) {
    if (isThere(ledger, id)) return { isNew: false, reason: null };
    const decision = selection.decide(id, { text: prompt, reason: null }, false);
    importInstruction(ledger, { ...base, ...decision });
    return { isNew: true, reason: decision.reason };
  }
  const reason: Reason | null = selection.hasOverlap(prompt) ? 'benchmark-overlap' : null;
  const state = reason === null ? 'kept' : 'rejected';
  importInstruction(ledger, { ...base, state, reason, duplicateOf: null } satisfies InstructionRow);
  const isNew = importPair(ledger, {
    ...{ id: hashKey([id, 'imported', response]), instruction: id, responseKind: 'imported', response, state, reason },
    ...{ model: null, call: null, isRefusal: null, isCut: null, softLabel, label },
  });
  return { isNew, reason };
}

function isThere(ledger: Ledger, id: string): boolean {
  return ledger.get('SELECT 1 FROM instructions WHERE id = ?', id) !== undefined;
}
