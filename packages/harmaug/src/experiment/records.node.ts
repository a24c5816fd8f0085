/** What a finished step leaves: the key of all it was made from, and what came of it. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type BenchmarkId, benchmarks } from '../evaluate/benchmarks.ts';
import { isObject, parseJson } from '../text/json.ts';

export interface StepRecord {
  readonly key: string;
  /** Hash of what later steps read of it. */
  readonly output: string;
  readonly seconds: number;
  /** For the summary: figures and counts, no texts. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** `null` where there is none, or none that can be read: the step is then made again. */
export function readRecord(file: string): StepRecord | null {
  if (!existsSync(file)) return null;
  const value = parseJson(readFileSync(file, 'utf8'));
  const isWhole = isObject(value) && ['key', 'output', 'seconds', 'facts'].every((field) => field in value);
  return isWhole ? (value as unknown as StepRecord) : null;
}

export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex').slice(0, 32);
}

/** Of each data file its contents; of a benchmark its version. */
export async function hashData(names: readonly string[], folder: string): Promise<readonly unknown[]> {
  const hashes: unknown[] = [];
  for (const name of names) {
    const benchmark = benchmarks[name as BenchmarkId];
    hashes.push(benchmark === undefined ? await hashFile(path.resolve(folder, name)) : [name, benchmark.version]);
  }
  return hashes;
}
