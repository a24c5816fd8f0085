/** The tokenizer of whatever holds one: a folder, a repository of the hub, a GGUF. */
import { openGgufTokenizer } from './gguf/read.node.ts';
import { type OpenTokenizerOptions, openTokenizer as openFolder } from './tokenizers/open.node.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

/**
 * Reads the tokenizer of a folder, of a hub id such as `owner/name`, or of a `.gguf` file of any architecture.
 * @example
 * const tokenizer = await openTokenizer('checkpoints/guard');
 * const { ids, typeIds } = tokenizer.encode('Is this fine?', 'Yes, it is.', { maxLength: 512 });
 * @throws FormatError when there is none we support, or its files are damaged
 */
export async function openTokenizer(name: string, options: OpenTokenizerOptions = {}): Promise<Tokenizer> {
  return name.endsWith('.gguf') ? openGgufTokenizer(name, options) : openFolder(name, options);
}
