/** What `--data` may name: a file of labelled rows, or a benchmark. */
import { homedir } from 'node:os';
import path from 'node:path';
import { readRows } from '../data/read.node.ts';
import { type BenchmarkId, benchmarks } from '../evaluate/benchmarks.ts';
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { fetchBenchmark } from '../evaluate/fetch-benchmark.node.ts';
import type { CommandIo } from './command.node.ts';
import { readOptions } from './data-flags.node.ts';

export async function openSet(
  name: string,
  values: Parameters<typeof readOptions>[0],
  io: CommandIo,
): Promise<EvaluationSet> {
  const benchmark = benchmarks[name as BenchmarkId];
  if (benchmark === undefined) {
    const { rows, skipped } = await readRows([name], readOptions(values));
    const id = path.basename(name).replace(/(\.(jsonl|json|csv|parquet|gz))+$/, '');
    return { id, version: null, rows, skipped: Object.fromEntries(skipped) };
  }
  io.progress(`${name}: fetching`);
  const cache = io.env.HARMAUG_CACHE ?? path.join(homedir(), '.cache', 'harmaug');
  const files = await fetchBenchmark(name, benchmark, { cache, token: io.env.HF_TOKEN, signal: io.signal });
  const parts = [];
  for (const file of files) parts.push(await readRows([file.path], { format: file.format }));
  return {
    id: name,
    version: benchmark.version,
    rows: parts.flatMap(({ rows }) => rows),
    skipped: Object.fromEntries(parts.flatMap(({ skipped }) => [...skipped])),
  };
}
