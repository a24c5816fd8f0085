import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonObject, parseJsonObject } from '../files/json.ts';
import { listFolder, readLimited, writeAside } from '../files/limited.node.ts';
import { CONFIG_FILE, missingConfig, tokenizerFileNames } from '../files/model-files.ts';
import type { HubSource } from '../hub/fetch.node.ts';
import type { HubOptions } from '../hub/hub.ts';
import { openModelFolder } from '../hub/open-folder.node.ts';
import type { NamedTensor } from './dtypes.ts';
import { type FolderWeights, readWeights, writeWeights } from './weights.node.ts';

/** A Hugging Face checkpoint folder: config.json, the weights and the tokenizer's files. */

const MAX_CONFIG_BYTES = 10_000_000;
const MAX_TOKENIZER_BYTES = 64 * 2 ** 20;

// Fields that transformers 5 takes as floats alone. JavaScript writes 2.0 as 2, which it would refuse.
const WHOLE_FLOAT = /^( {2}"(?:initializer_range|initializer_cutoff_factor|layer_norm_eps|norm_eps)": \d+)(,?)$/gm;

export interface CheckpointFolder {
  readonly config: JsonObject;
  readonly weights: ReadonlyMap<string, NamedTensor>;
  /** File name -> bytes, for those of `tokenizerFileNames` that exist. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
}

export interface ReadFolderResult extends CheckpointFolder, Pick<FolderWeights, 'weightFiles'> {
  /** Where the files are on this machine. */
  readonly folder: string;
  /** For a hub id: which state of it was read. `null` for a folder. */
  readonly source: HubSource | null;
}

/**
 * Reads a checkpoint: a folder, or a hub id, whose files are fetched into the cache when they are not there yet.
 * @throws FormatError when the folder, config.json or the weights are missing or damaged; it says what was found.
 *   HubError where the hub does not give them
 */
export async function readFolder(name: string, options: { readonly hub?: HubOptions } = {}): Promise<ReadFolderResult> {
  const { folder, source } = await openModelFolder(name, options.hub);
  return { ...(await readLocalFolder(folder)), folder, source };
}

/** The same for a folder alone. */
export async function readLocalFolder(folder: string): Promise<CheckpointFolder & FolderWeights> {
  const names = await listFolder(folder);
  if (!names.has(CONFIG_FILE)) throw missingConfig(folder);
  const configFile = join(folder, CONFIG_FILE);
  const config = parseJsonObject(await readLimited(configFile, MAX_CONFIG_BYTES), configFile);
  const tokenizerFiles = new Map<string, Uint8Array>();
  for (const name of tokenizerFileNames) {
    if (names.has(name)) tokenizerFiles.set(name, await readLimited(join(folder, name), MAX_TOKENIZER_BYTES));
  }
  return { config, tokenizerFiles, ...(await readWeights(folder, names)) };
}

export interface WriteFolderOptions {
  /** Most bytes of weights in one file; beyond, they are split, with an index. Default: one file. */
  readonly maxShardBytes?: number;
}

/**
 * Writes a checkpoint folder that transformers loads; it is created when missing, readable by its owner only.
 * config.json comes last, so a new folder that has one is complete. Weights of an older model there, in one file or in
 * several, are gone afterwards.
 */
export async function writeFolder(
  folder: string,
  checkpoint: Omit<CheckpointFolder, 'tokenizerFiles'> & Partial<Pick<CheckpointFolder, 'tokenizerFiles'>>,
  options: WriteFolderOptions = {},
): Promise<void> {
  if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o700);
  for (const [name, bytes] of checkpoint.tokenizerFiles ?? []) await writeAside(join(folder, name), [bytes]);
  await writeWeights(folder, checkpoint.weights, options.maxShardBytes);
  const json = `${JSON.stringify(checkpoint.config, null, 2).replace(WHOLE_FLOAT, '$1.0$2')}\n`;
  await writeAside(join(folder, CONFIG_FILE), [new TextEncoder().encode(json)]);
}
