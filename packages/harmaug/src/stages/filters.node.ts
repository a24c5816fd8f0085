/** The filters of a recipe, filled with what there is: labelled data, evaluation sets, imported rows. */
import { homedir } from 'node:os';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { ColumnMap } from '../data/formats.ts';
import { readRows, streamRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { NearDuplicates } from '../dedup/near-duplicates.ts';
import { Overlap } from '../dedup/overlap.ts';
import { type BenchmarkId, benchmarks } from '../evaluate/benchmarks.ts';
import { fetchBenchmark } from '../evaluate/fetch-benchmark.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import type { StageOptions } from './context.node.ts';
import type { Embedder } from './embedder.node.ts';
import type { Pipeline } from './pipeline.node.ts';
import { type AnswerRules, Selection } from './selection.ts';
import type { DataFile } from './settings.ts';

/** Labelled rows of the recipe; none without a section "seed". */
export async function readSeedRows({ seed, folder }: Pipeline): Promise<Row[]> {
  const rows: Row[] = [];
  for (const file of seed?.files ?? []) {
    const limit = (seed?.limit ?? Number.POSITIVE_INFINITY) - rows.length;
    if (limit <= 0) break;
    const read = await readRows([path.resolve(folder, file.file)], { ...readOptions(file), limit });
    rows.push(...read.rows);
  }
  return rows;
}

/** @throws ConfigError for both a format and columns */
function readOptions({ file, ...how }: DataFile) {
  const { format, columns } = { format: undefined, columns: undefined, ...how };
  if (format !== undefined && columns !== undefined) {
    throw new ConfigError(`${file}: give "format" or "columns", not both.`);
  }
  const chosen = columns === undefined ? format : (columns as ColumnMap);
  return chosen === undefined ? {} : { format: chosen };
}

export async function answerRules({ filters }: Pipeline): Promise<AnswerRules> {
  const { maxCharacters, languages } = filters;
  if (languages === 'any') return { maxCharacters, languages: null, languageOf: () => null };
  const { languageOf } = await import('./language.ts'); // its tables take a moment
  return { maxCharacters, languages, languageOf };
}

/**
 * A selection that knows the evaluation sets, the labelled data and the imported instructions.
 * @param embedder where meanings are compared
 */
export async function openSelection(
  { pipeline, ledger, ...io }: StageOptions,
  seedRows: readonly Row[],
  embedder: Embedder | null,
): Promise<Selection> {
  const { nearDuplicates, embeddings } = pipeline.filters;
  const selection = new Selection({
    near: nearDuplicates === false ? null : new NearDuplicates(nearDuplicates),
    overlap: await readOverlap(pipeline, io),
    vectorThreshold: embedder === null ? null : embeddings!.threshold,
  });
  const texts = [...knownTexts(seedRows, ledger)];
  const vectors = embedder === null ? null : await embedder.embed(texts.map(({ text }) => text));
  for (const [index, { id, text }] of texts.entries()) selection.addKnown(id, text, vectors?.[index]);
  return selection;
}

function* knownTexts(seedRows: readonly Row[], ledger: Ledger): Generator<{ id: string; text: string }> {
  for (const { id, prompt } of seedRows) yield { id, text: prompt };
  const imported =
    "SELECT id, text FROM instructions WHERE origin = 'import' AND position IS NOT NULL AND state = 'kept' ORDER BY position";
  for (const { id, text } of ledger.each(imported)) yield { id: String(id), text: String(text) };
}

/** Prompts and responses of the evaluation sets; `null` where the recipe names none. */
export async function readOverlap(
  { filters, folder }: Pipeline,
  { env, signal, onNote }: Pick<StageOptions, 'env' | 'signal' | 'onNote'>,
): Promise<Overlap | null> {
  if (filters.benchmarks.length === 0) return null;
  const overlap = new Overlap();
  for (const benchmark of filters.benchmarks) {
    for (const { file, options } of await filesOf(benchmark)) {
      for await (const row of streamRows([file], options)) {
        overlap.add(row.prompt);
        if (row.response !== undefined) overlap.add(row.response);
      }
    }
  }
  return overlap;

  async function filesOf(benchmark: DataFile) {
    const known = benchmarks[benchmark.file as BenchmarkId];
    if (known === undefined) {
      return [{ file: path.resolve(folder, benchmark.file), options: readOptions(benchmark) }];
    }
    onNote?.(`${benchmark.file}: fetching, if it is not here yet`);
    const cache = env.HARMAUG_CACHE ?? path.join(homedir(), '.cache', 'harmaug');
    const files = await fetchBenchmark(benchmark.file, known, { cache, token: env.HF_TOKEN, signal });
    return files.map(({ path: file, format }) => ({ file, options: { format } }));
  }
}
