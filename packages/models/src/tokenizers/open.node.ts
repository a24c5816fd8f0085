import { join } from 'node:path';
import { listFolder, readLimited } from '../files/limited.node.ts';
import type { HubOptions } from '../hub/hub.ts';
import { openModelFolder } from '../hub/open-folder.node.ts';
import { loadTokenizer, MAX_CONFIG_BYTES, pickLoader, TOKENIZER_CONFIG, type TokenizerOptions } from './load.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Opening the tokenizer of a Hugging Face folder or hub id. */

export interface OpenTokenizerOptions extends TokenizerOptions {
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
}

/**
 * Reads the tokenizer of a folder, or of a hub id such as `owner/name`: tokenizer.json, else what there was before it.
 * @example
 * const tokenizer = await openTokenizer('checkpoints/guard');
 * const { ids, typeIds } = tokenizer.encode('Is this fine?', 'Yes, it is.', { maxLength: 512 });
 * @throws FormatError when there is none we support, or its files are damaged
 */
export async function openTokenizer(name: string, options: OpenTokenizerOptions = {}): Promise<Tokenizer> {
  const { folder } = await openModelFolder(name, { ...options.hub, parts: 'tokenizer' });
  const names = await listFolder(folder);
  const loader = pickLoader(names, folder);
  const files = new Map<string, Uint8Array>();
  for (const file of loader.files) files.set(file, await readLimited(join(folder, file), loader.maxBytes));
  if (names.has(TOKENIZER_CONFIG)) {
    files.set(TOKENIZER_CONFIG, await readLimited(join(folder, TOKENIZER_CONFIG), MAX_CONFIG_BYTES));
  }
  return loadTokenizer(files, options);
}
