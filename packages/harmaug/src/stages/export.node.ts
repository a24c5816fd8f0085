/** Export: the current set as JSONL and Parquet with a dataset card. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { Ledger, SqlRow } from '../ledger/ledger.node.ts';
import { countsOf, hashOfSet, setOf } from '../ledger/sets.node.ts';
import { labelSettings, requirePairs } from './chain.node.ts';
import { type CardCounts, datasetCard } from './dataset-card.ts';
import { type DatasetRow, datasetColumns } from './dataset-columns.ts';
import type { Pipeline } from './pipeline.node.ts';
import { createRowFile, type RowFile } from './row-files.node.ts';

export interface ExportOptions {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  /** Where the files go. */
  readonly folder: string;
  readonly formats: readonly ('jsonl' | 'parquet')[];
  /** Whether rows without a label are exported, too. */
  readonly withUnlabelled: boolean;
  readonly limit?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (rows: number) => void;
}

export interface ExportResult {
  readonly files: readonly string[];
  readonly counts: CardCounts;
  readonly leftOut: number;
}

const PROGRESS_ROWS = 10_000;

/**
 * Writes data.jsonl, data.parquet and README.md. Files are renamed into place when whole, the card last.
 * @throws ConfigError where there is nothing to export, or labels are of other rows than the current ones
 */
export async function exportData(options: ExportOptions): Promise<ExportResult> {
  const { pipeline, ledger, folder, formats, withUnlabelled, limit = Number.POSITIVE_INFINITY } = options;
  await requireCurrent(pipeline, ledger);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files: RowFile[] = [];
  const counts = emptyCounts();
  let leftOut = 0;
  try {
    for (const format of formats) files.push(createRowFile(path.join(folder, `data.${format}`), datasetColumns));
    for (const found of ledger.each(ROWS)) {
      if (counts.rows >= limit) break;
      const row = rowOf(found);
      if (!withUnlabelled && row.soft_label === null && row.label === null) {
        leftOut += 1;
        continue;
      }
      for (const file of files) file.add(row);
      count(counts, row);
      if (counts.rows % PROGRESS_ROWS !== 0) continue;
      options.onProgress?.(counts.rows);
      await new Promise((resolve) => setImmediate(resolve)); // so that Ctrl-C is heard
      options.signal.throwIfAborted();
    }
    if (counts.rows === 0) throw new ConfigError(nothing(leftOut));
    for (const file of files) file.finish();
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
  const card = datasetCard({
    settings: pipeline.dataset,
    counts,
    leftOut,
    rejected: { instructions: countsOf(ledger, 'instructions'), responses: countsOf(ledger, 'pairs') },
    prefix: (setOf(ledger, 'generate')?.facts.prefix as string | null | undefined) ?? null,
    files: files.map(({ file }) => path.basename(file)),
  });
  const cardFile = path.join(folder, 'README.md');
  writeFileSync(`${cardFile}.part`, card, { mode: 0o600 });
  renameSync(`${cardFile}.part`, cardFile);
  return { files: [...files.map(({ file }) => file), cardFile], counts, leftOut };
}

function nothing(leftOut: number): string {
  if (leftOut === 0) return 'There are no rows to export.';
  return `None of the ${leftOut} rows has a label. Run harmaug label first, or export them as they are with --unlabelled.`;
}

async function requireCurrent(pipeline: Pipeline, ledger: Ledger): Promise<void> {
  requirePairs(pipeline, ledger);
  const labels = setOf(ledger, 'label');
  if (labels === null) return;
  if (labels.input !== hashOfSet(ledger, 'pairs')) {
    throw new ConfigError('The texts have changed since they were labelled. Run harmaug label again.');
  }
  if (pipeline.label !== undefined && labels.settings !== (await labelSettings(pipeline))) {
    throw new ConfigError(
      'The labels were made with other settings than the recipe has now. Run harmaug label again, with the same flags as this command.',
    );
  }
}

const ROWS = `
SELECT pairs.id, instructions.text, pairs.response, pairs.instruction, pairs.response_kind, pairs.model AS responder,
  coalesce(labels.soft_label, pairs.soft_label) AS soft_label, pairs.label, labels.log_odds, labels.category AS teacher_category,
  labels.is_boundary, labels.is_disputed, pairs.is_refusal, pairs.is_cut, labels.soft_label IS NOT NULL AS is_labelled,
  labels.teacher, instructions.category, instructions.kind, instructions.model AS generator, instructions.origin,
  instructions.about
FROM pairs JOIN instructions ON instructions.id = pairs.instruction
LEFT JOIN labels ON labels.pair = pairs.id AND labels.position IS NOT NULL
WHERE pairs.position IS NOT NULL AND pairs.state = 'kept' ORDER BY pairs.position`;

function rowOf(row: SqlRow): DatasetRow {
  const text = (name: string) => row[name] as string | null;
  const number = (name: string) => (Number.isFinite(row[name]) ? (row[name] as number) : null);
  const bit = (name: string) => (row[name] === null ? null : row[name] === 1);
  const isImported = row.origin === 'import';
  const source = isImported ? (JSON.parse(String(row.about)).source ?? 'imported') : 'harmaug';
  return {
    ...{ id: text('id'), prompt: text('text'), response: text('response') },
    ...{ soft_label: number('soft_label'), label: number('label'), source },
    ...{ category: text('category'), kind: text('kind'), response_kind: text('response_kind') },
    ...{ log_odds: number('log_odds'), teacher_category: text('teacher_category') },
    ...{
      boundary: bit('is_boundary'),
      disputed: bit('is_disputed'),
      refusal: bit('is_refusal'),
      cut_off: bit('is_cut'),
    },
    ...{ generator: text('generator'), responder: text('responder') },
    ...{ teacher: row.is_labelled === 1 ? text('teacher') : null, instruction: text('instruction') },
  };
}

type Counting = { rows: number; labelled: number; unsafe: number } & {
  readonly [Name in 'kinds' | 'responseKinds' | 'categories' | 'generators' | 'responders' | 'teachers']: Record<
    string,
    number
  >;
};

function emptyCounts(): Counting {
  return {
    ...{ rows: 0, labelled: 0, unsafe: 0 },
    ...{ kinds: {}, responseKinds: {}, categories: {}, generators: {}, responders: {}, teachers: {} },
  };
}

function count(counts: Counting, row: DatasetRow): void {
  const p = row.soft_label ?? row.label;
  counts.rows += 1;
  if (p !== null) counts.labelled += 1;
  if (p !== null && Number(p) > 0.5) counts.unsafe += 1;
  const add = (table: Record<string, number>, name: DatasetRow[keyof DatasetRow]) => {
    if (name !== null) table[String(name)] = (table[String(name)] ?? 0) + 1;
  };
  add(counts.kinds, row.kind);
  add(counts.responseKinds, row.response_kind);
  add(counts.categories, row.category);
  add(counts.generators, row.generator);
  add(counts.responders, row.responder);
  add(counts.teachers, row.teacher);
}
