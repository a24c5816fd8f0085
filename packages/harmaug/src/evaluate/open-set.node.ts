/** A set to measure on, by its name: a file of labelled rows, or a public benchmark, fetched once. */
import { homedir } from 'node:os';
import path from 'node:path';
import { type ReadOptions, readRows } from '../data/read.node.ts';
import { type BenchmarkId, benchmarks } from './benchmarks.ts';
import type { EvaluationSet } from './evaluate.ts';
import { fetchBenchmark } from './fetch-benchmark.node.ts';

export interface OpenSetOptions {
  /** How a file's columns are read; benchmarks have their own. */
  readonly read?: ReadOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

/** @throws FormatError for a file that is missing or wrong */
export async function openSet(
  name: string,
  { read = {}, env, signal, onProgress }: OpenSetOptions,
): Promise<EvaluationSet> {
  const benchmark = benchmarks[name as BenchmarkId];
  if (benchmark === undefined) {
    const { rows, skipped } = await readRows([name], read);
    const id = path.basename(name).replace(/(\.(jsonl|json|csv|parquet|gz))+$/, '');
    return { id, version: null, rows, skipped: Object.fromEntries(skipped) };
  }
  onProgress?.(`${name}: fetching`);
  const cache = env.HARMAUG_CACHE ?? path.join(homedir(), '.cache', 'harmaug');
  const files = await fetchBenchmark(name, benchmark, { cache, token: env.HF_TOKEN, signal });
  const parts = [];
  for (const file of files) parts.push(await readRows([file.path], { format: file.format }));
  return {
    id: name,
    version: benchmark.version,
    rows: parts.flatMap(({ rows }) => rows),
    skipped: Object.fromEntries(parts.flatMap(({ skipped }) => [...skipped])),
  };
}
