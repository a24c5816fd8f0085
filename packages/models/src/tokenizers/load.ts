import { FormatError } from 'onnx-grad';
import { type JsonObject, parseJsonObject } from '../files/json.ts';
import { createJsonTokenizer, MAX_TOKENIZER_JSON_BYTES } from './json/tokenizer-json.ts';
import { createVocabMergesTokenizer } from './json/vocab-merges.ts';
import { createVocabTokenizer } from './json/vocab-txt.ts';
import { MAX_SPM_BYTES } from './spm-model.ts';
import { createSpmTokenizer, createXlmRobertaTokenizer } from './spm-tokenizer.ts';
import type { SpecialTokensInText, Tokenizer } from './tokenizer.ts';

/** From a folder's tokenizer files to a tokenizer, wherever the bytes come from. */

export interface TokenizerOptions {
  /** What "[CLS]" in a text is: plain characters (default), or the control token, as in transformers. */
  readonly specialTokensInText?: SpecialTokensInText;
}

interface Loader {
  /** Files it needs, in the order that `create` takes them. */
  readonly files: readonly string[];
  readonly maxBytes: number;
  readonly create: (files: readonly TokenizerFile[], config: JsonObject, options: TokenizerOptions) => Tokenizer;
}

interface TokenizerFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

type CreateFromOne = (bytes: Uint8Array, file: string, config: JsonObject, options: TokenizerOptions) => Tokenizer;

function one(file: string, maxBytes: number, create: CreateFromOne): Loader {
  return { files: [file], maxBytes, create: ([only], config, options) => create(only!.bytes, file, config, options) };
}

export const TOKENIZER_CONFIG = 'tokenizer_config.json';
export const MAX_CONFIG_BYTES = 10_000_000;

/** In order of preference, as in transformers: the first whose file exists. */
export const loaders: readonly Loader[] = [
  one('tokenizer.json', MAX_TOKENIZER_JSON_BYTES, createJsonTokenizer),
  one('spm.model', MAX_SPM_BYTES, createSpmTokenizer),
  one('sentencepiece.bpe.model', MAX_SPM_BYTES, createXlmRobertaTokenizer),
  {
    files: ['vocab.json', 'merges.txt'],
    maxBytes: MAX_TOKENIZER_JSON_BYTES,
    create: ([vocab, merges], config, options) => createVocabMergesTokenizer(vocab!, merges!, config, options),
  },
  one('vocab.txt', MAX_TOKENIZER_JSON_BYTES, createVocabTokenizer),
];

const SUPPORTED =
  'tokenizer.json (WordPiece, Unigram or BPE), spm.model (DeBERTa v2 and v3), ' +
  'sentencepiece.bpe.model (XLM-RoBERTa), vocab.json with merges.txt (RoBERTa), vocab.txt (BERT)';

/**
 * The loader for a set of file names.
 * @param where the folder, for errors
 * @throws FormatError saying what is supported and what was found
 */
export function pickLoader(names: ReadonlySet<string>, where: string): Loader {
  const loader = loaders.find(({ files }) => files.every((file) => names.has(file)));
  if (loader !== undefined) return loader;
  throw unreadable(names, where);
}

/** The error for a folder whose files are those of no tokenizer we read. */
export function unreadable(names: ReadonlySet<string>, where: string): FormatError {
  const found = [...names].filter((name) => /token|vocab|merges|\.model$/.test(name)).sort();
  const got = found.length === 0 ? 'no tokenizer file' : found.slice(0, 10).join(', ');
  const message = `${where} has no tokenizer we can read. Supported: ${SUPPORTED}. Found: ${got}.`;
  return new FormatError(message, { file: where });
}

/**
 * Builds a tokenizer from files in memory, as a browser has them.
 * @param files file name -> bytes: `tokenizer.json` or what else there is, and `tokenizer_config.json` if there is one
 * @throws FormatError naming file and field
 */
export function loadTokenizer(files: ReadonlyMap<string, Uint8Array>, options: TokenizerOptions = {}): Tokenizer {
  const loader = pickLoader(new Set(files.keys()), 'The tokenizer');
  const configBytes = files.get(TOKENIZER_CONFIG);
  const config = configBytes === undefined ? {} : parseJsonObject(configBytes, TOKENIZER_CONFIG);
  const found = loader.files.map((name) => ({ name, bytes: files.get(name)! }));
  return loader.create(found, config, options);
}
