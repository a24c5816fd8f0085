/** A benchmark's files in the cache: fetched once, checked by their hash, put in place whole. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import type { Benchmark, BenchmarkFile } from './benchmarks.ts';

export interface FetchOptions {
  readonly cache: string;
  readonly fetch?: typeof globalThis.fetch;
  /** For gated sets: HF_TOKEN. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal;
}

const MAX_FILE_BYTES = 200_000_000;

export interface FetchedFile {
  readonly path: string;
  readonly format: BenchmarkFile['format'];
  readonly sha256: string;
}

/**
 * @throws FormatError when a file cannot be fetched, is too large, or is not the one that the record (or, where that has
 *   no hash, the first fetch) names; it says how to give the file by hand
 */
export async function fetchBenchmark(
  id: string,
  { version, files }: Benchmark,
  options: FetchOptions,
): Promise<FetchedFile[]> {
  const folder = path.join(options.cache, 'benchmarks', `${id}-v${version}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found: FetchedFile[] = [];
  for (const file of files) found.push(await fetchFile(id, folder, file, options));
  return found;
}

async function fetchFile(id: string, folder: string, file: BenchmarkFile, options: FetchOptions): Promise<FetchedFile> {
  const { url, format } = file;
  const place = path.join(folder, path.basename(decodeURI(new URL(url).pathname)));
  const firstHash = `${place}.sha256`;
  const expected = file.sha256 ?? (existsSync(firstHash) ? (await readFile(firstHash, 'utf8')).trim() : null);
  const bytes = existsSync(place) ? new Uint8Array(await readFile(place)) : await download(id, url, options);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (expected !== null && sha256 !== expected) {
    throw new FormatError(
      `${id}: ${existsSync(place) ? place : url} is not the file that figures were measured on: expected sha256 ${expected}, ` +
        `got ${sha256}. Remove ${folder} to fetch it anew; if it changed at its home, figures do not compare any more.`,
      { file: place },
    );
  }
  if (!existsSync(place)) {
    await writeFile(`${place}.part`, bytes);
    await rename(`${place}.part`, place);
  }
  if (file.sha256 === undefined && !existsSync(firstHash)) await writeFile(firstHash, `${sha256}\n`);
  return { path: place, format, sha256 };
}

async function download(
  id: string,
  url: string,
  { fetch = globalThis.fetch, token, signal }: FetchOptions,
): Promise<Uint8Array> {
  const byHand = `Or fetch it yourself and give the file: --data <file> --format <name>.`;
  const isHub = new URL(url).hostname === 'huggingface.co';
  let response: Response;
  try {
    response = await fetch(url, {
      headers: isHub && token ? { authorization: `Bearer ${token}` } : {},
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new FormatError(`${id}: ${url} cannot be reached. Are you online? ${byHand}`, { file: url, cause });
  }
  if (response.status === 401 || response.status === 403) {
    const remedy = 'The set is gated: accept its terms on its page and set HF_TOKEN.';
    throw new FormatError(`${id}: ${url} answered ${response.status}. ${remedy} ${byHand}`, { file: url });
  }
  if (!response.ok) throw new FormatError(`${id}: ${url} answered ${response.status}. ${byHand}`, { file: url });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_FILE_BYTES) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new FormatError(`${id}: ${url} broke off after ${size} bytes. Try again. ${byHand}`, { file: url, cause });
  }
  if (size > MAX_FILE_BYTES) throw new FormatError(`${id}: ${url} has over ${MAX_FILE_BYTES} bytes.`, { file: url });
  return Buffer.concat(chunks);
}
