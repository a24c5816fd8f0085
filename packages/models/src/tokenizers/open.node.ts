import { join } from 'node:path';
import { listFolder, readLimited } from '../files/limited.node.ts';
import { loadTokenizer, pickLoader, type TokenizerOptions } from './load.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Opening the tokenizer of a Hugging Face folder. */

const MAX_CONFIG_BYTES = 10_000_000;
const CONFIG_FILE = 'tokenizer_config.json';

/**
 * Reads the tokenizer a folder carries: tokenizer.json, else what there was before it.
 * @example
 * const tokenizer = await openTokenizer('checkpoints/guard');
 * const { ids, typeIds } = tokenizer.encode('Is this fine?', 'Yes, it is.', { maxLength: 512 });
 * @throws FormatError when there is none we support, or its files are damaged
 */
export async function openTokenizer(folder: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  const names = await listFolder(folder);
  const loader = pickLoader(names, folder);
  const files = new Map<string, Uint8Array>();
  for (const file of loader.files) files.set(file, await readLimited(join(folder, file), loader.maxBytes));
  if (names.has(CONFIG_FILE)) files.set(CONFIG_FILE, await readLimited(join(folder, CONFIG_FILE), MAX_CONFIG_BYTES));
  return loadTokenizer(files, options);
}
