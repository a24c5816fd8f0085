import { FormatError } from 'onnx-grad';
import type { JsonObject } from '../../files/json.ts';
import { readLines } from '../../files/lines.ts';
import type { SpecialTokensInText, Tokenizer } from '../tokenizer.ts';
import { buildTokenizer, MAX_TOKENIZER_JSON_BYTES } from './tokenizer-json.ts';

/**
 * BERT folders from before tokenizer.json carry vocab.txt, one token a line, the line number its id. This writes the
 * tokenizer.json that transformers would.
 *
 * Source: transformers 4.57, convert_slow_tokenizer.py, `BertConverter`
 */
const specialNames = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/** @throws FormatError when the vocabulary lacks one of BERT's special tokens */
export function createVocabTokenizer(
  bytes: Uint8Array,
  file: string,
  config: JsonObject = {},
  options: { readonly specialTokensInText?: SpecialTokensInText } = {},
): Tokenizer {
  return buildTokenizer(synthesiseTokenizerJson(bytes, file), file, config, options);
}

/** The tokenizer.json of a vocab.txt. */
export function synthesiseTokenizerJson(bytes: Uint8Array, file: string): JsonObject {
  const vocab = readVocab(bytes, file);
  const idOf = (name: string) => vocab.get(name)!;
  const token = (name: string, typeId: number) => ({ SpecialToken: { id: name, type_id: typeId } });
  const text = (id: 'A' | 'B', typeId: number) => ({ Sequence: { id, type_id: typeId } });
  const single = [token('[CLS]', 0), text('A', 0), token('[SEP]', 0)];
  return {
    version: '1.0',
    added_tokens: specialNames.map((content) => ({ id: idOf(content), content, special: true, normalized: false })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), token('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((name) => [name, { id: name, ids: [idOf(name)], tokens: [name] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  };
}

function readVocab(bytes: Uint8Array, file: string): Map<string, number> {
  const fail = (problem: string) => new FormatError(`${file} ${problem}`, { file });
  if (bytes.byteLength > MAX_TOKENIZER_JSON_BYTES)
    throw fail(`has ${bytes.byteLength} bytes, too many for a vocabulary.`);
  const vocab = new Map(readLines(bytes, file).map((line, id) => [line, id]));
  for (const name of specialNames) {
    if (!vocab.has(name)) throw fail(`has no ${name}. Expected BERT's vocabulary, one token a line.`);
  }
  return vocab;
}
