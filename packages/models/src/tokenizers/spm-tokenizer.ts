import { ConfigError, FormatError } from 'onnx-grad';
import { isObject, type JsonObject, quote } from '../files/json.ts';
import { type AddedToken, createSplitter, readAddedTokensDecoder } from './added-tokens.ts';
import { buildByteTrie } from './byte-trie.ts';
import { isMatched, type Piece, parseSpmModel, type SpmModel } from './spm-model.ts';
import { createSpmNormalizer } from './spm-normalizer.ts';
import {
  createTokenizer,
  type SpecialIds,
  type SpecialTokensInText,
  type Template,
  type Tokenizer,
} from './tokenizer.ts';
import { readTruncationSide } from './truncation.ts';
import { createUnigramEncoder, type UnigramEncoder } from './unigram.ts';
import { ByteBuffer } from './utf8.ts';

/**
 * The tokenizers of DeBERTa v2 and v3 from spm.model and of XLM-RoBERTa from sentencepiece.bpe.model, with the ids of
 * transformers' Python tokenizers, which the published models were trained with. (The Rust conversions differ from them:
 * they normalise graphemes instead of characters and have no byte fallback.)
 *
 * Source: transformers 4.57, tokenization_deberta_v2.py, tokenization_xlm_roberta.py and tokenization_utils.py;
 * sentencepiece 0.2.3
 */

const UNK_PENALTY = 10; // unigram_model.cc, kUnkPenalty

type Role = 'pad' | 'unk' | 'cls' | 'sep' | 'mask';

/** What differs between the families. */
interface SpmFamily {
  /** Token names by role, where tokenizer_config.json does not say. */
  readonly tokens: Readonly<Record<Role, string>>;
  /** The model with its pieces in the order of their ids. */
  readonly number: (model: SpmModel, file: string) => SpmModel;
  readonly template: (cls: number, sep: number) => Template;
  /** What happens to a text before the model sees it. */
  readonly prepare: (config: JsonObject) => (text: string) => string[];
  /** Whether the mask token takes white space before it along. */
  readonly maskStrips: boolean;
}

const slot = (sequence: 'first' | 'second', typeId: number) => ({ sequence, typeId });

const debertaV2: SpmFamily = {
  tokens: { pad: '[PAD]', unk: '[UNK]', cls: '[CLS]', sep: '[SEP]', mask: '[MASK]' },
  number: (model) => model,
  template: (cls, sep) => {
    const single = [{ id: cls, typeId: 0 }, slot('first', 0), { id: sep, typeId: 0 }];
    return { single, pair: [...single, slot('second', 1), { id: sep, typeId: 1 }] };
  },
  prepare: (config) => {
    const cut = config.split_by_punct === true ? splitByPunctuation : (text: string) => [text];
    return config.do_lower_case === true ? (text) => cut(lowerCase(text)) : cut;
  },
  maskStrips: false,
};

const xlmRoberta: SpmFamily = {
  tokens: { pad: '<pad>', unk: '<unk>', cls: '<s>', sep: '</s>', mask: '<mask>' },
  number: numberAsFairseq,
  template: (cls, sep) => {
    const end = { id: sep, typeId: 0 };
    const single = [{ id: cls, typeId: 0 }, slot('first', 0), end];
    return { single, pair: [...single, end, slot('second', 0), end] };
  },
  prepare: () => (text) => [text],
  maskStrips: true,
};

/** Fairseq's <s> <pad> </s> <unk> in place of the model's <unk> <s> </s>; the other pieces follow, one id later. */
function numberAsFairseq(model: SpmModel, file: string): SpmModel {
  const names = model.pieces.slice(0, 3).map(({ text }) => text);
  if (model.unkId !== 0 || names.join() !== '<unk>,<s>,</s>') {
    const message = `${file}: pieces begin with ${names.map(quote).join(', ')}. Expected XLM-RoBERTa's <unk>, <s>, </s>.`;
    throw new FormatError(message, { file, field: 'pieces' });
  }
  const [unk, bos, eos, ...others] = model.pieces as [Piece, Piece, Piece, ...Piece[]];
  const pad: Piece = { text: '<pad>', score: 0, kind: 'control' };
  return { ...model, pieces: [bos, pad, eos, unk, ...others], unkId: 3 };
}

/**
 * Builds DeBERTa's tokenizer.
 * @param config tokenizer_config.json, `{}` when there is none; `do_lower_case`, `split_by_punct`, the tokens' names and
 *   `added_tokens_decoder` are read
 * @throws FormatError when the model or the configuration is damaged, or a special token is neither a piece nor added
 */
export function createSpmTokenizer(
  bytes: Uint8Array,
  file: string,
  config: JsonObject = {},
  options: { readonly specialTokensInText?: SpecialTokensInText } = {},
): Tokenizer {
  return createOf(debertaV2, bytes, file, config, options);
}

/** Builds XLM-RoBERTa's: the same, but for the options of DeBERTa's `config`. */
export function createXlmRobertaTokenizer(
  bytes: Uint8Array,
  file: string,
  config: JsonObject = {},
  options: { readonly specialTokensInText?: SpecialTokensInText } = {},
): Tokenizer {
  return createOf(xlmRoberta, bytes, file, config, options);
}

function createOf(
  family: SpmFamily,
  bytes: Uint8Array,
  file: string,
  config: JsonObject,
  options: { readonly specialTokensInText?: SpecialTokensInText },
): Tokenizer {
  const model = family.number(parseSpmModel(bytes, file), file);
  const { special, added } = readTokens(model, family, config, file);
  const controlIds = new Set(added.filter((token) => token.special).map((token) => token.id));
  const isText = (options.specialTokensInText ?? 'text') === 'text';
  const splitter = createSplitter(isText ? added.filter((token) => !token.special) : added);
  const encode = createEncoder(model, isText ? controlIds : new Set());
  const prepare = family.prepare(config);
  const texts = textsOf(model.pieces, added);

  return createTokenizer({
    kind: 'sentencepiece',
    vocabSize: texts.length,
    special,
    controlIds,
    template: family.template(special.cls!, special.sep!),
    oddToken: 'first',
    truncationSide: readTruncationSide(config),
    tokenize: (text) => {
      const ids: number[] = [];
      for (const segment of splitter(text)) {
        if (typeof segment === 'number') ids.push(segment);
        else for (const part of prepare(segment)) encode(part, ids);
      }
      return ids;
    },
    decode: (ids) => decode(ids, model.pieces, texts),
  });
}

/** Special tokens are pieces of the model, or, like [MASK], numbered after its last piece. */
function readTokens(
  model: SpmModel,
  family: SpmFamily,
  config: JsonObject,
  file: string,
): { special: SpecialIds; added: AddedToken[] } {
  const added = readAddedTokensDecoder(config, 'tokenizer_config.json');
  const idOf = new Map(model.pieces.map(({ text }, id) => [text, id]));
  let nextId = model.pieces.length;
  for (const { id, content } of added) {
    idOf.set(content, id);
    nextId = Math.max(nextId, id + 1);
  }
  const special: Partial<Record<Role, number>> = {};
  for (const role of Object.keys(family.tokens) as Role[]) {
    const content = tokenName(config[`${role}_token`], family.tokens[role]);
    let id = idOf.get(content);
    if (id === undefined) {
      if (role !== 'mask' && role !== 'pad') {
        const message = `${file}: pieces have no ${quote(content)}, the model's ${role}_token.`;
        throw new FormatError(message, { file, field: 'pieces' });
      }
      id = nextId++;
      idOf.set(content, id);
    }
    special[role] = id;
    if (added.some((token) => token.content === content)) continue;
    const lstrip = role === 'mask' && family.maskStrips;
    added.push({ id, content, special: true, normalized: false, lstrip, rstrip: false, singleWord: false });
  }
  return { special: special as SpecialIds, added };
}

function tokenName(value: unknown, fallback: string): string {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value.content === 'string' ? value.content : fallback;
}

/**
 * Text -> ids, appended: normalise, find the best path, spell unknown characters in bytes.
 * @param forbidden ids that text must not turn into, whatever kind of piece they are
 */
function createEncoder(model: SpmModel, forbidden: ReadonlySet<number>): (text: string, ids: number[]) => void {
  const encoder = new TextEncoder();
  const { pieces, unkId } = model;
  const matched = pieces
    .map((piece, id) => ({ ...piece, id }))
    .filter(({ kind, id }) => isMatched(kind) && kind !== 'unused' && !forbidden.has(id));
  const trie = buildByteTrie(matched.map(({ text, id }) => [encoder.encode(text), id] as const));
  const userDefined = matched.filter(({ kind }) => kind === 'user-defined');
  const keep = buildByteTrie(userDefined.map(({ text, id }) => [encoder.encode(text), id] as const));
  const lowest = matched.reduce((low, { kind, score }) => (kind === 'normal' ? Math.min(low, score) : low), Infinity);
  const encode: UnigramEncoder = createUnigramEncoder({
    trie,
    scores: Float64Array.from(pieces, (piece) => scoreOf(piece, encoder)),
    unkId,
    unkScore: Math.fround((lowest === Infinity ? 0 : lowest) - UNK_PENALTY),
    byteIds: model.byteFallback ? byteIdsOf(pieces) : undefined,
    sums: 'float32',
  });
  const normalize = createSpmNormalizer(model.normalizer, userDefined.length > 0 ? keep : undefined);
  const [raw, normal] = [new ByteBuffer(), new ByteBuffer()];
  return (text, ids) => {
    raw.setText(text);
    normalize(raw, normal);
    encode(normal.bytes, normal.length, ids);
  };
}

/** User-defined pieces beat any cut into others. Source: unigram_model.cc, `GetUserDefinedScore`. */
function scoreOf({ kind, score, text }: Piece, encoder: TextEncoder): number {
  return kind === 'user-defined' ? Math.fround(0.1 * (encoder.encode(text).length - 1)) : score;
}

function byteIdsOf(pieces: readonly Piece[]): Int32Array {
  const ids = new Int32Array(256).fill(-1);
  pieces.forEach(({ kind, text }, id) => {
    if (kind === 'byte') ids[Number(text.slice(1, -1))] = id;
  });
  return ids;
}

/** Character by character, as the reference does: no final sigma. */
function lowerCase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}

const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/u;

/** Each punctuation character on its own; nothing is dropped. Source: tokenization_deberta_v2.py, `_run_split_on_punc`. */
function splitByPunctuation(text: string): string[] {
  return text.split(new RegExp(`(${PUNCTUATION.source})`, 'u')).filter((part) => part !== '');
}

/** What each id stands for; holes are empty. */
function textsOf(pieces: readonly Piece[], added: readonly AddedToken[]): string[] {
  const texts = pieces.map(({ text }) => text);
  for (const { id, content } of added) {
    while (texts.length < id) texts.push('');
    texts[id] = content;
  }
  return texts;
}

/** Pieces to text: U+2581 to space, byte pieces to characters. Source: sentencepiece_processor.cc, `Decode`. */
function decode(ids: readonly number[], pieces: readonly Piece[], texts: readonly string[]): string {
  const decoder = new TextDecoder();
  let text = '';
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) text += decoder.decode(Uint8Array.from(run));
    run = [];
  };
  for (const id of ids) {
    const piece = texts[id];
    if (piece === undefined) throw new ConfigError(`Cannot decode id ${id}. Expected 0 to ${texts.length - 1}.`);
    if (pieces[id]?.kind === 'byte') {
      run.push(Number(piece.slice(1, -1)));
      continue;
    }
    flush();
    text += piece.replaceAll('\u2581', ' ');
  }
  flush();
  return text.trimStart();
}
