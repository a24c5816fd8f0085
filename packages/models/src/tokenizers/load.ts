import { FormatError } from 'onnx-grad';
import { type JsonObject, parseJsonObject } from '../files/json.ts';
import { createJsonTokenizer, MAX_TOKENIZER_JSON_BYTES } from './json/tokenizer-json.ts';
import { createVocabTokenizer } from './json/vocab-txt.ts';
import { MAX_SPM_BYTES } from './spm-model.ts';
import { createSpmTokenizer } from './spm-tokenizer.ts';
import type { SpecialTokensInText, Tokenizer } from './tokenizer.ts';

/** From a folder's tokenizer files to a tokenizer, wherever the bytes come from. */

export interface TokenizerOptions {
  /** What "[CLS]" in a text is: plain characters (default), or the control token, as in transformers. */
  readonly specialTokensInText?: SpecialTokensInText;
}

interface Loader {
  readonly file: string;
  readonly maxBytes: number;
  readonly create: (bytes: Uint8Array, file: string, config: JsonObject, options: TokenizerOptions) => Tokenizer;
}

/** In order of preference, as in transformers: the first whose file exists. */
const loaders: readonly Loader[] = [
  { file: 'tokenizer.json', maxBytes: MAX_TOKENIZER_JSON_BYTES, create: createJsonTokenizer },
  { file: 'spm.model', maxBytes: MAX_SPM_BYTES, create: createSpmTokenizer },
  { file: 'vocab.txt', maxBytes: MAX_TOKENIZER_JSON_BYTES, create: createVocabTokenizer },
];

/**
 * The loader for a set of file names.
 * @param where the folder, for errors
 * @throws FormatError saying what is supported and what was found
 */
export function pickLoader(names: ReadonlySet<string>, where: string): Loader {
  const loader = loaders.find(({ file }) => names.has(file));
  if (loader !== undefined) return loader;
  const supported = 'tokenizer.json (WordPiece or Unigram), spm.model (DeBERTa v2 and v3), vocab.txt (BERT)';
  const found = [...names].filter((name) => /token|vocab|merges|\.model$/.test(name)).sort();
  const got = found.length === 0 ? 'no tokenizer file' : found.slice(0, 10).join(', ');
  const message = `${where} has no tokenizer we can read. Supported: ${supported}. Found: ${got}.`;
  throw new FormatError(message, { file: where });
}

/**
 * Builds a tokenizer from files in memory, as a browser has them.
 * @param files file name -> bytes: `tokenizer.json`, `spm.model` or `vocab.txt`, and `tokenizer_config.json` if there is one
 * @throws FormatError naming file and field
 */
export function loadTokenizer(files: ReadonlyMap<string, Uint8Array>, options: TokenizerOptions = {}): Tokenizer {
  const { file, create } = pickLoader(new Set(files.keys()), 'The tokenizer');
  const configBytes = files.get('tokenizer_config.json');
  const config = configBytes === undefined ? {} : parseJsonObject(configBytes, 'tokenizer_config.json');
  return create(files.get(file)!, file, config, options);
}
