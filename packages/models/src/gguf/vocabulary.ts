import { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { type MetadataReader, metadataOf } from './metadata.ts';
import { type PreTokenizerName, preTokenizerOf } from './pre-tokenizers.ts';
import type { GgufValue } from './types.ts';

/**
 * A vocabulary as GGUF has it, between a tokenizer.json on one side and metadata on the other.
 * Source: ggml, docs/gguf.md "Tokenizer"; llama.cpp, src/llama-vocab.cpp
 */

/** In the order of their codes, from 0. */
export const tokenKinds = ['undefined', 'normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'] as const;
export type TokenKind = (typeof tokenKinds)[number];

export type TokenRole = 'bos' | 'eos' | 'unk' | 'pad';

interface CommonVocabulary {
  /** Text of each id. */
  readonly tokens: readonly string[];
  readonly kinds: readonly TokenKind[];
  readonly roles: Readonly<Partial<Record<TokenRole, number>>>;
  readonly addsBos: boolean;
  readonly addsEos: boolean;
  /** Jinja. */
  readonly chatTemplate: string | undefined;
}

/** Byte-level BPE: "gpt2". Tokens are spelled in the characters of byte-level.ts. */
export interface ByteLevelVocabulary extends CommonVocabulary {
  readonly model: 'gpt2';
  /** In the order in which they were learned. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  readonly preTokenizer: PreTokenizerName;
}

/** SentencePiece's BPE: "llama". Spaces are U+2581, unknown characters are spelled in byte tokens. */
export interface SentencePieceVocabulary extends CommonVocabulary {
  readonly model: 'llama';
  /** Of two possible merges the one whose token has the higher score comes first. */
  readonly scores: readonly number[];
  /** A space before the text, and after each token that was cut out of it. */
  readonly addsSpace: boolean;
}

export type Vocabulary = ByteLevelVocabulary | SentencePieceVocabulary;

const PREFIX = 'tokenizer.ggml.';
const TEMPLATE_KEY = 'tokenizer.chat_template';

const roleKeys: { readonly [R in TokenRole]: string } = {
  bos: `${PREFIX}bos_token_id`,
  eos: `${PREFIX}eos_token_id`,
  unk: `${PREFIX}unknown_token_id`,
  pad: `${PREFIX}padding_token_id`,
};
const roleNames = Object.keys(roleKeys) as TokenRole[];

export function describeVocabulary(vocabulary: Vocabulary): Map<string, GgufValue> {
  const { tokens, kinds, roles, addsBos, addsEos, chatTemplate } = vocabulary;
  const metadata = new Map<string, GgufValue>();
  const set = (key: string, value: GgufValue) => metadata.set(PREFIX + key, value);
  set('model', metadataOf.string(vocabulary.model));
  set('pre', metadataOf.string(vocabulary.model === 'gpt2' ? vocabulary.preTokenizer : 'default'));
  set('tokens', metadataOf.strings(tokens));
  if (vocabulary.model === 'llama') set('scores', metadataOf.float32s(vocabulary.scores));
  set('token_type', metadataOf.int32s(kinds.map((kind) => tokenKinds.indexOf(kind))));
  if (vocabulary.model === 'gpt2') set('merges', metadataOf.strings(vocabulary.merges.map((pair) => pair.join(' '))));
  for (const role of roleNames) {
    const id = roles[role];
    if (id !== undefined) metadata.set(roleKeys[role], metadataOf.uint32(id));
  }
  set('add_bos_token', metadataOf.bool(addsBos));
  set('add_eos_token', metadataOf.bool(addsEos));
  if (vocabulary.model === 'llama') set('add_space_prefix', metadataOf.bool(vocabulary.addsSpace));
  if (chatTemplate !== undefined) metadata.set(TEMPLATE_KEY, metadataOf.string(chatTemplate));
  return metadata;
}

const MAX_TOKENS = 4_000_000;
const MAX_TOKEN_CHARS = 1_000; // ours, as of added tokens in a tokenizer.json
const NO_ID = 2 ** 32 - 1; // -1 as converters of 2023 wrote it

/** Ids that a role has where nothing is stated; byte-level vocabularies have none worth the name. */
const usualRoles = { gpt2: {}, llama: { unk: 0, bos: 1, eos: 2 } } as const;

/**
 * The vocabulary of a GGUF.
 * @throws FormatError for kinds other than "gpt2" and "llama", pre-tokenizers we do not know, lists of different lengths,
 *   ids beyond the tokens, tokens that stand twice, merges of something else than tokens
 */
export function readVocabulary(metadata: MetadataReader): Vocabulary {
  const key = (name: string) => PREFIX + name;
  const model = metadata.string(key('model'));
  if (model !== 'gpt2' && model !== 'llama') return metadata.fail(key('model'), '"gpt2" or "llama"');
  const tokens = metadata.strings(key('tokens')) ?? metadata.fail(key('tokens'), 'a list of strings');
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) metadata.fail(key('tokens'), `1 to ${MAX_TOKENS} tokens`);
  const ids = idsOf(tokens, metadata);
  const kinds = readKinds(metadata, key('token_type'), tokens.length);
  const roles: Partial<Record<TokenRole, number>> = {};
  for (const role of roleNames) {
    const usual: number = (usualRoles[model] as Partial<Record<TokenRole, number>>)[role] ?? NO_ID;
    const id = metadata.integer(roleKeys[role], { min: 0, max: NO_ID }, usual < tokens.length ? usual : NO_ID);
    if (id === NO_ID) continue;
    if (id >= tokens.length) metadata.fail(roleKeys[role], `an id of the ${tokens.length} tokens`);
    roles[role] = id;
  }
  const chatTemplate = metadata.has(TEMPLATE_KEY) ? metadata.string(TEMPLATE_KEY) : undefined;
  const preTokenizer = model === 'gpt2' ? preTokenizerOf(metadata, key('pre')) : undefined;
  const addsBos = metadata.boolean(key('add_bos_token'), preTokenizer?.addsBos ?? true);
  const addsEos = metadata.boolean(key('add_eos_token'), false);
  const missing = (addsBos && roles.bos === undefined) || (addsEos && roles.eos === undefined);
  if (missing) metadata.fail(roleKeys[addsBos && roles.bos === undefined ? 'bos' : 'eos'], 'an id, since it is added');
  const common = { tokens, kinds, roles, addsBos, addsEos, chatTemplate };
  if (preTokenizer === undefined) {
    const scores = metadata.numbers(key('scores')) ?? tokens.map(() => 0);
    if (scores.length !== tokens.length || !scores.every(Number.isFinite)) {
      metadata.fail(key('scores'), `${tokens.length} finite numbers, one a token`);
    }
    return { ...common, model: 'llama', scores, addsSpace: metadata.boolean(key('add_space_prefix'), true) };
  }
  const merges = (metadata.strings(key('merges')) ?? metadata.fail(key('merges'), 'a list of strings')).map(
    (text, i) => {
      const space = text.indexOf(' ', 1);
      const pair = [text.slice(0, space), text.slice(space + 1)] as const;
      if (space > 0 && [...pair, pair.join('')].every((token) => ids.has(token))) return pair;
      const problem = `entry ${i} must join two tokens of the vocabulary to a third.`;
      throw new FormatError(`${metadata.file}: ${key('merges')} ${problem}`, {
        file: metadata.file,
        field: key('merges'),
      });
    },
  );
  return { ...common, model: 'gpt2', merges, preTokenizer: preTokenizer.name };
}

/** Ids by text. Empty tokens, which nothing can be, may stand more than once. */
function idsOf(tokens: readonly string[], { file }: MetadataReader): Map<string, number> {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (token === '') return;
    const other = ids.get(token);
    const field = `${PREFIX}tokens`;
    if (other !== undefined) {
      throw new FormatError(`${file}: ${field}: ids ${other} and ${id} are both ${quote(token)}.`, { file, field });
    }
    if (token.length > MAX_TOKEN_CHARS) {
      const problem = `id ${id} has ${token.length} characters, expected at most ${MAX_TOKEN_CHARS}`;
      throw new FormatError(`${file}: ${field}: ${problem}.`, { file, field });
    }
    ids.set(token, id);
  });
  return ids;
}

function readKinds(metadata: MetadataReader, key: string, count: number): TokenKind[] {
  const codes = metadata.numbers(key) ?? Array.from({ length: count }, () => tokenKinds.indexOf('normal'));
  if (codes.length !== count) metadata.fail(key, `${count} numbers, one a token`);
  return codes.map((code) => tokenKinds[code] ?? 'undefined');
}
