import type { JsonObject } from '../files/json.ts';
import type { MetadataReader } from './metadata.ts';

/**
 * How a text is cut into words before byte-level BPE. A GGUF names the way; a tokenizer.json spells it out.
 *
 * Source: llama.cpp, src/llama-vocab.cpp `llm_tokenizer_bpe` and `llama_vocab::impl::load`
 */
export type PreTokenizerName = 'gpt-2' | 'smollm' | 'llama-bpe' | 'smaug-bpe' | 'qwen2' | 'default';

export interface PreTokenizer {
  readonly name: PreTokenizerName;
  /** Names under which llama.cpp does the same. */
  readonly aliases: readonly string[];
  /** Words that are tokens are taken whole, whatever the merges. */
  readonly ignoresMerges: boolean;
  /** Whether llama.cpp begins texts with BOS where the file does not say. */
  readonly addsBos: boolean;
  /** Forms of `pre_tokenizer` in tokenizer.json; we write the first. */
  readonly forms: readonly JsonObject[];
}

const byteLevel = (usesRegex: boolean): JsonObject => {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: usesRegex };
};
const split = (regex: string): JsonObject => {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
};
const sequence = (...pretokenizers: readonly JsonObject[]): JsonObject => ({ type: 'Sequence', pretokenizers });

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The words of GPT-4's first tokenizer, with `numbers` at a time. */
const gpt4 = (numbers: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** A tokenizer.json is given the first name that does what it says. */
export const preTokenizers: readonly PreTokenizer[] = [
  {
    name: 'gpt-2',
    aliases: ['phi-2', 'olmo', 'mpt', 'trillion', 'exaone4', 'modern-bert'],
    ignoresMerges: false,
    addsBos: false,
    forms: [byteLevel(true)],
  },
  {
    name: 'smollm',
    aliases: ['starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b'],
    ignoresMerges: false,
    addsBos: false,
    forms: [
      sequence(split('\\p{N}'), byteLevel(true)),
      sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
    ],
  },
  {
    name: 'llama-bpe',
    aliases: ['llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'lfm2'],
    ignoresMerges: true,
    addsBos: true,
    forms: [sequence(split(gpt4('\\p{N}{1,3}')), byteLevel(false))],
  },
  {
    name: 'smaug-bpe',
    aliases: ['dbrx'],
    ignoresMerges: false,
    addsBos: false,
    forms: [sequence(split(gpt4('\\p{N}{1,3}')), byteLevel(false))],
  },
  {
    name: 'qwen2',
    aliases: ['deepseek-r1-qwen', 'megrez', 'stablelm2', 'hunyuan'],
    ignoresMerges: false,
    addsBos: false,
    forms: [sequence(split(gpt4('\\p{N}')), byteLevel(false))],
  },
  {
    name: 'default', // of files from before they named one
    aliases: [],
    ignoresMerges: false,
    addsBos: false,
    forms: [
      sequence(
        split('[\\p{P}\\$\\+<=>\\^~\\|]+'),
        split(GPT2),
        split('\\p{N}+'),
        split('[0-9][0-9][0-9]'),
        byteLevel(false),
      ),
    ],
  },
];

export function preTokenizerNamed(name: PreTokenizerName): PreTokenizer {
  return preTokenizers.find((row) => row.name === name)!;
}

/** The one that a GGUF names. @throws FormatError listing those we have */
export function preTokenizerOf(metadata: MetadataReader, key: string): PreTokenizer {
  const name = metadata.string(key, 'default');
  const found = preTokenizers.find((row) => row.name === name || row.aliases.includes(name));
  const known = preTokenizers.flatMap((row) => [row.name, ...row.aliases]);
  return found ?? metadata.fail(key, `one of ${known.join(', ')}`);
}
