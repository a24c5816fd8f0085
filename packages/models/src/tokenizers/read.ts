import {
  loaders,
  loadTokenizer,
  MAX_CONFIG_BYTES,
  TOKENIZER_CONFIG,
  type TokenizerOptions,
  unreadable,
} from './load.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A file of a model's folder, wherever that is: its bytes, or `null` where there is none. @throws for more than `maxBytes` */
export type ReadFile = (name: string, maxBytes: number) => Promise<Uint8Array | null>;

/**
 * The tokenizer of a folder whose files are asked for by name: the first kind that is there.
 * @param where the folder, for errors
 * @throws FormatError when there is none we support, or its files are damaged
 */
export async function readTokenizer(read: ReadFile, where: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  const found = new Map<string, Uint8Array>();
  for (const { files, maxBytes } of loaders) {
    for (const name of files) {
      const bytes = await read(name, maxBytes);
      if (bytes === null) break;
      found.set(name, bytes);
    }
    if (!files.every((name) => found.has(name))) continue;
    const config = await read(TOKENIZER_CONFIG, MAX_CONFIG_BYTES);
    if (config !== null) found.set(TOKENIZER_CONFIG, config);
    return loadTokenizer(found, options);
  }
  throw unreadable(new Set(found.keys()), where);
}
