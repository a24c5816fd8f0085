import { FormatError } from 'onnx-grad';
import { type JsonObject, parseJsonObject } from '../../files/json.ts';
import { readLines } from '../../files/lines.ts';
import type { SpecialTokensInText, Tokenizer } from '../tokenizer.ts';
import { buildTokenizer, MAX_TOKENIZER_JSON_BYTES } from './tokenizer-json.ts';

/**
 * RoBERTa folders from before tokenizer.json carry vocab.json, token to id, and merges.txt, one merge a line in the order
 * they were learned. This writes the tokenizer.json that transformers would.
 *
 * Source: transformers 4.57, convert_slow_tokenizer.py, `RobertaConverter`; tokenization_roberta.py
 */
const specialNames = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'] as const;

interface File {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** @throws FormatError when a file is damaged, or the vocabulary lacks one of RoBERTa's special tokens */
export function createVocabMergesTokenizer(
  vocab: File,
  merges: File,
  config: JsonObject = {},
  options: { readonly specialTokensInText?: SpecialTokensInText } = {},
): Tokenizer {
  for (const { name, bytes } of [vocab, merges]) {
    if (bytes.byteLength <= MAX_TOKENIZER_JSON_BYTES) continue;
    throw new FormatError(`${name} has ${bytes.byteLength} bytes, too many for a tokenizer.`, { file: name });
  }
  const json = synthesise(parseJsonObject(vocab.bytes, vocab.name), vocab.name, readMerges(merges), config);
  return buildTokenizer(json, vocab.name, config, options);
}

function synthesise(vocab: JsonObject, file: string, merges: readonly string[], config: JsonObject): JsonObject {
  const missing = specialNames.find((name) => vocab[name] === undefined);
  if (missing !== undefined) {
    throw new FormatError(`${file} has no ${missing}. Expected RoBERTa's vocabulary, token to id.`, { file });
  }
  const addsSpace = config.add_prefix_space === true;
  return {
    added_tokens: specialNames.map((content) => {
      return { id: vocab[content], content, special: true, normalized: false, lstrip: content === '<mask>' };
    }),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: addsSpace, use_regex: true },
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', vocab['</s>']], cls: ['<s>', vocab['<s>']] },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges },
  };
}

/** "a b" a line; the first may say a version. */
function readMerges({ name, bytes }: File): string[] {
  const lines = readLines(bytes, name);
  lines.forEach((line, i) => {
    if (line === '' || line.startsWith('#version') || line.split(' ').length === 2) return;
    throw new FormatError(`${name} line ${i + 1} must be two tokens with one space between.`, { file: name });
  });
  return lines.filter((line) => line !== '');
}
