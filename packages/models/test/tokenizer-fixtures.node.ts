import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { TokenizerKind } from '../src/tokenizers/tokenizer.ts';

/** The small tokenizers of test/oracles/tokenizers, and what transformers makes of the texts there. */

const oracles = new URL('./oracles/tokenizers/', import.meta.url);

/** Folder -> kind of its tokenizer. */
export const fixtureKinds = {
  wordpiece: 'wordpiece',
  unigram: 'unigram',
  sentencepiece: 'sentencepiece',
  'sentencepiece-plain': 'sentencepiece',
  'xlm-roberta': 'unigram',
  'xlm-roberta-spm': 'sentencepiece',
  roberta: 'bpe',
  'roberta-files': 'bpe',
  modernbert: 'bpe',
  trained: 'bpe',
  llama: 'bpe',
  llama3: 'bpe',
  qwen2: 'bpe',
} as const satisfies Record<string, TokenizerKind>;
export type FixtureName = keyof typeof fixtureKinds;
export const fixtureNames = Object.keys(fixtureKinds) as FixtureName[];

export interface Recorded {
  readonly ids: readonly number[][];
  readonly pairs: readonly [ids: number[], typeIds: number[]][];
  readonly asText: Readonly<Record<string, number[]>>;
}

export interface Texts {
  readonly texts: readonly string[];
  readonly pairs: readonly [first: number, second: number, maxLength: number][];
}

const unzip = (url: URL) => new Uint8Array(gunzipSync(readFileSync(url)));
const readJson = (url: URL): unknown => JSON.parse(new TextDecoder().decode(unzip(url)));

export const readTexts = () => readJson(new URL('texts.json.gz', oracles)) as Texts;
export const readRecorded = (name: FixtureName) => readJson(new URL(`${name}/ids.json.gz`, oracles)) as Recorded;

/** The tokenizer's files by name. */
export function readTokenizerFiles(name: FixtureName): Map<string, Uint8Array> {
  const folder = new URL(`${name}/`, oracles);
  const zipped = readdirSync(folder).filter((file) => file !== 'ids.json.gz');
  return new Map(zipped.map((file) => [file.replace(/\.gz$/, ''), unzip(new URL(file, folder))]));
}

/** A folder that lives as long as the test, with these files. */
export async function temporaryFolder(files: Iterable<readonly [string, Uint8Array | string]> = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'harmaug-models-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, contents] of files) await writeFile(join(folder, name), contents);
  return folder;
}
