import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { HubError } from './errors.ts';
import { fetchFiles, type HubSource } from './fetch.node.ts';
import type { HubOptions } from './hub.ts';
import { formatHubId, parseHubId } from './id.ts';
import { isSafePath } from './listing.ts';
import { openHub } from './settings.node.ts';
import { type Wanted, wantExported, wantFile, wantModel, wantTokenizer } from './wanted.ts';

/** Where a folder is named, a hub id may be. */

export interface OpenFolderOptions extends HubOptions {
  /** `tokenizer`: its files alone. Default: config, weights and tokenizer. */
  readonly parts?: 'model' | 'tokenizer';
  /** Files of which the first that is there is fetched in place of the weights: an exported model. */
  readonly exported?: readonly string[];
  /** Further files to fetch with a model, where the repository has them. */
  readonly also?: readonly string[];
}

export interface OpenedFolder {
  readonly folder: string;
  /** `null` for a folder that was there. */
  readonly source: HubSource | null;
}

/**
 * The folder of a model: the one that is named, when it exists, else that of a hub id in the cache, fetched first where
 * needed. What is neither is given back as it is, for whoever opens it to say what is missing.
 * @example
 * const { folder, source } = await openModelFolder('microsoft/deberta-v3-xsmall@main');
 * @throws HubError, FormatError, ConfigError
 */
export async function openModelFolder(name: string, options: OpenFolderOptions = {}): Promise<OpenedFolder> {
  const isMarked = name.startsWith('hf:');
  if (!isMarked && existsSync(name)) return { folder: name, source: null };
  const id = parseHubId(name);
  if (id === null) return { folder: name, source: null };
  if (id.kind === 'dataset') throw new ConfigError(`${formatHubId(id)} is a data set. Expected a model.`);
  const wanted = wantedOf(options);
  try {
    return await fetchFiles(openHub(options), id, wanted);
  } catch (error) {
    if (
      isMarked ||
      !(error instanceof HubError) ||
      !['missing', 'denied', 'unreachable', 'offline'].includes(error.problem)
    )
      throw error;
    const { problem, message, status, cause } = error;
    const details = { cause, ...(status === undefined ? {} : { status }) };
    throw new HubError(problem, `There is no folder ${name}, and as a hub id: ${message}`, details);
  }
}

function wantedOf({ parts, exported, also }: OpenFolderOptions): Wanted {
  if (parts === 'tokenizer') return wantTokenizer;
  return exported === undefined ? wantModel(also) : wantExported(exported, also);
}

export interface FetchedFile {
  /** On this machine. */
  readonly path: string;
  readonly source: HubSource;
}

/**
 * One file of a model or data set: a GGUF, a Parquet file. It is kept in the cache and checked by its hash.
 * @param id `owner/name`, `owner/name@revision`, `datasets/owner/name`
 * @param file its path in the repository
 * @example
 * const { path } = await fetchHubFile('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q8_0.gguf');
 * @throws HubError, ConfigError for what is no id or no path
 */
export async function fetchHubFile(id: string, file: string, options: HubOptions = {}): Promise<FetchedFile> {
  const parsed = parseHubId(id.startsWith('hf:') ? id : `hf:${id}`)!; // marked as an id, it is one or an error
  if (!isSafePath(file)) throw new ConfigError(`${JSON.stringify(file.slice(0, 120))} is no path in a repository.`);
  const { folder, source } = await fetchFiles(openHub(options), parsed, wantFile(file));
  return { path: path.join(folder, ...file.split('/')), source };
}
