import { ConfigError, FormatError } from 'onnx-grad';
import { isObject, type JsonObject, parseJsonObject, quote } from '../../files/json.ts';
import {
  type AddedToken,
  checkCount,
  createSplitter,
  readAddedToken,
  readAddedTokensDecoder,
} from '../added-tokens.ts';
import { createTokenizer, type SpecialIds, type SpecialTokensInText, type Tokenizer } from '../tokenizer.ts';
import { readTruncationSide } from '../truncation.ts';
import { createDecoder } from './decoders.ts';
import { createModel, type WordModel } from './models.ts';
import { createNormalizer } from './normalizers.ts';
import { createPreTokenizer } from './pre-tokenizers.ts';
import { createTemplate } from './templates.ts';

/**
 * The tokenizer that a tokenizer.json describes, with the ids of the tokenizers library that transformers uses: added
 * tokens are cut out, the rest is normalised, cut into words, and each word becomes ids.
 *
 * Source: tokenizers 0.23, tokenizer/mod.rs and added_vocabulary.rs, `extract_and_normalize`
 */

export const MAX_TOKENIZER_JSON_BYTES = 64 * 2 ** 20;

/** Names that models use for a role, when tokenizer_config.json does not say. */
const usualNames = {
  pad: ['[PAD]', '<pad>'],
  unk: ['[UNK]', '<unk>'],
  cls: ['[CLS]', '<s>'],
  sep: ['[SEP]', '</s>'],
  mask: ['[MASK]', '<mask>'],
} as const;
type Role = keyof typeof usualNames;

/**
 * Parses tokenizer.json and builds the tokenizer.
 * @param file   name for errors
 * @param config tokenizer_config.json, `{}` when there is none
 * @throws FormatError naming file and field
 */
export function createJsonTokenizer(
  bytes: Uint8Array,
  file: string,
  config: JsonObject = {},
  options: { readonly specialTokensInText?: SpecialTokensInText } = {},
): Tokenizer {
  if (bytes.byteLength > MAX_TOKENIZER_JSON_BYTES) {
    const message = `${file} has ${bytes.byteLength} bytes, expected at most ${MAX_TOKENIZER_JSON_BYTES}.`;
    throw new FormatError(message, { file });
  }
  return buildTokenizer(parseJsonObject(bytes, file), file, config, options);
}

/** The same from a parsed file. */
export function buildTokenizer(
  json: JsonObject,
  file: string,
  config: JsonObject,
  options: { readonly specialTokensInText?: SpecialTokensInText },
): Tokenizer {
  const at = (field: string) => ({ file, field });
  const model = createModel(json.model, at('model'));
  const normalize = createNormalizer(withConfig(json.normalizer, config), at('normalizer'));
  const preTokenize = createPreTokenizer(json.pre_tokenizer, at('pre_tokenizer'));
  const template = createTemplate(json.post_processor, at('post_processor'));
  const decode = createDecoder(json.decoder, at('decoder'));
  const added = readAddedTokens(json, file, config);
  const special = readSpecialIds(model, added, config, file);
  const controlIds = new Set(added.filter((token) => token.special).map((token) => token.id));

  const isText = (options.specialTokensInText ?? 'text') === 'text';
  const spotted = isText ? added.filter((token) => !token.special) : added;
  const splitRaw = createSplitter(spotted.filter((token) => !token.normalized));
  const normalized = spotted.filter((token) => token.normalized);
  const splitNormalized = createSplitter(
    normalized
      .map((token) => ({ ...token, content: normalize(token.content) }))
      .filter(({ content }) => content !== ''),
  );
  const encodeWord = model.createEncoder(isText ? controlIds : new Set());
  const texts = textsOf(model, added);

  return createTokenizer({
    kind: model.kind,
    vocabSize: texts.length,
    special,
    controlIds,
    template,
    oddToken: 'longer',
    truncationSide: readTruncationSide(config),
    tokenize: (text) => {
      const ids: number[] = [];
      splitRaw(text).forEach((raw, i) => {
        if (typeof raw === 'number') ids.push(raw);
        else {
          splitNormalized(normalize(raw)).forEach((segment, j) => {
            if (typeof segment === 'number') ids.push(segment);
            else if (segment !== '') for (const word of preTokenize(segment, i === 0 && j === 0)) encodeWord(word, ids);
          });
        }
      });
      return ids;
    },
    decode: (ids) => {
      const tokens = ids.map((id) => {
        const text = texts[id];
        if (text === undefined) throw new ConfigError(`Cannot decode id ${id}. Expected 0 to ${texts.length - 1}.`);
        return text;
      });
      return tokens.length === 0 ? '' : decode(tokens);
    },
  });
}

/** tokenizer_config.json has the last word on how BERT normalises. Source: transformers 4.57, tokenization_bert_fast.py */
function withConfig(normalizer: unknown, config: JsonObject): unknown {
  if (!isObject(normalizer) || normalizer.type !== 'BertNormalizer') return normalizer;
  const keys = {
    lowercase: 'do_lower_case',
    strip_accents: 'strip_accents',
    handle_chinese_chars: 'tokenize_chinese_chars',
  };
  const changes = Object.entries(keys).flatMap(([key, name]) => {
    return typeof config[name] === 'boolean' ? [[key, config[name]] as const] : [];
  });
  return { ...normalizer, ...Object.fromEntries(changes) };
}

/** Those of tokenizer.json, then what tokenizer_config.json adds. */
function readAddedTokens(json: JsonObject, file: string, config: JsonObject): AddedToken[] {
  const list = json.added_tokens ?? [];
  if (!Array.isArray(list))
    throw new FormatError(`${file}: added_tokens must be a list.`, { file, field: 'added_tokens' });
  checkCount(list.length, file, 'added_tokens');
  const tokens = list.map((value: unknown, i) => {
    return readAddedToken(value, isObject(value) ? value.id : undefined, file, `added_tokens[${i}]`);
  });
  const known = new Set(tokens.map(({ content }) => content));
  const more = readAddedTokensDecoder(config, 'tokenizer_config.json').filter(({ content }) => !known.has(content));
  return [...tokens, ...more];
}

function readSpecialIds(model: WordModel, added: readonly AddedToken[], config: JsonObject, file: string): SpecialIds {
  const idOf = (name: string) => added.find(({ content }) => content === name)?.id ?? model.vocab.get(name);
  // a file that names its added tokens names them all: "[MASK]" in its vocabulary is a word like others
  const usualId = (name: string) =>
    added.length === 0 ? idOf(name) : added.find(({ content }) => content === name)?.id;
  const ids: Partial<Record<Role, number | undefined>> = {};
  for (const role of Object.keys(usualNames) as Role[]) {
    const configured = config[`${role}_token`];
    const name = isObject(configured) ? configured.content : configured;
    if (typeof name !== 'string') {
      ids[role] = usualNames[role].map(usualId).find((id) => id !== undefined);
      continue;
    }
    ids[role] = idOf(name);
    if (ids[role] === undefined) {
      const message = `tokenizer_config.json: ${role}_token ${quote(name)} is not in ${file}.`;
      throw new FormatError(message, { file: 'tokenizer_config.json', field: `${role}_token` });
    }
  }
  ids.pad ??= idOf(endOfText(config)); // decoders often have no token of their own for it; the mask hides what it is
  if (ids.pad === undefined) {
    const remedy = 'Name it as "pad_token" in tokenizer_config.json.';
    throw new FormatError(`${file} has no padding token. ${remedy}`, { file, field: 'added_tokens' });
  }
  return { pad: ids.pad, unk: ids.unk ?? model.unkId, cls: ids.cls, sep: ids.sep, mask: ids.mask };
}

function endOfText({ eos_token: token }: JsonObject): string {
  const name = isObject(token) ? token.content : token;
  return typeof name === 'string' ? name : '</s>';
}

/** What each id stands for; holes are empty. */
function textsOf(model: WordModel, added: readonly AddedToken[]): string[] {
  const pairs = [...model.vocab, ...added.map(({ content, id }) => [content, id] as const)];
  const size = pairs.reduce((most, [, id]) => Math.max(most, id + 1), 0);
  const texts = new Array<string>(size).fill('');
  for (const [text, id] of pairs) texts[id] = text;
  return texts;
}
