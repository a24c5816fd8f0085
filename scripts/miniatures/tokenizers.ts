/** The two tokenizers: byte-level BPE, for the language models as llama.cpp has it, for the student in lower case. */
import { isObject, type JsonObject, trainBpe } from '@harmaug/models';
import { BEGIN, controls, END, PAD } from './chat.ts';

export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

/** For GGUF: nothing is put around a text, the template has the control tokens. */
export function languageTokenizer(texts: readonly string[], vocabSize: number): TokenizerFiles {
  const trained = trainBpe(texts, { vocabSize });
  const named = rename(trained);
  return files(
    { ...named, post_processor: null },
    { bos_token: BEGIN, eos_token: END, pad_token: PAD, add_bos_token: false, add_eos_token: false },
  );
}

/** For BERT: lower case, a space before the first word too, so that a word is one token wherever it stands. */
export function studentTokenizer(texts: readonly string[], vocabSize: number): TokenizerFiles {
  const trained = trainBpe(
    texts.map((text) => ` ${text.toLowerCase()}`),
    { vocabSize },
  );
  const words = { ...(trained.pre_tokenizer as JsonObject), add_prefix_space: true };
  return files(
    { ...trained, normalizer: { type: 'Lowercase' }, pre_tokenizer: words },
    { pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]', mask_token: '[MASK]' },
  );
}

/** The control tokens in the places of [PAD], [UNK], [CLS], [SEP] and [MASK]. */
function rename(trained: JsonObject): JsonObject {
  const added = (trained.added_tokens as JsonObject[]).map((token, id) => ({ ...token, content: controls[id]! }));
  const model = trained.model as JsonObject;
  if (!isObject(model.vocab)) throw new Error('internal: a trained tokenizer without a vocabulary');
  const vocab = Object.fromEntries(
    Object.entries(model.vocab).map(([token, id]) => [controls[id as number] ?? token, id]),
  );
  return { ...trained, added_tokens: added, model: { ...model, vocab } };
}

function files(tokenizer: JsonObject, config: JsonObject): TokenizerFiles {
  const bytes = (json: JsonObject) => new TextEncoder().encode(`${JSON.stringify(json)}\n`);
  return new Map([
    ['tokenizer.json', bytes(tokenizer)],
    ['tokenizer_config.json', bytes(config)],
  ]);
}
