import { ConfigError, FormatError } from 'onnx-grad';
import { isObject, type JsonObject, parseJsonObject } from '../files/json.ts';
import { type AddedToken, checkCount, readAddedToken, readAddedTokensDecoder } from '../tokenizers/added-tokens.ts';
import { type ComponentPlace, fieldError } from '../tokenizers/json/components.ts';
import { readVocab } from '../tokenizers/json/models.ts';
import { createTemplate } from '../tokenizers/json/templates.ts';
import { MAX_TOKENIZER_JSON_BYTES } from '../tokenizers/json/tokenizer-json.ts';
import { layOutTokens } from './lay-out.ts';
import { refusal } from './refusal.ts';
import { scoresOfMerges } from './spm-order.ts';
import { matchByteLevel, matchSentencePiece } from './tokenizer-forms.ts';
import type { TokenRole, Vocabulary } from './vocabulary.ts';

/**
 * From a folder's tokenizer files to the vocabulary of a GGUF. What llama.cpp would do otherwise than the tokenizer is an
 * error where it touches usual texts, and is told where it touches rare ones.
 */

export interface FoundVocabulary {
  readonly vocabulary: Vocabulary;
  /** What llama.cpp does otherwise, a sentence each. */
  readonly differences: readonly string[];
}

export interface FilesOptions {
  /** Rows of the word embeddings: as many tokens there must be. */
  readonly vocabSize: number;
  /** config.json, for ids that tokenizer_config.json does not state. */
  readonly config: JsonObject;
  /** In place of the files' own. */
  readonly chatTemplate?: string | undefined;
}

const TOKENIZER = 'tokenizer.json';
const CONFIG = 'tokenizer_config.json';
const TEMPLATE = 'chat_template.jinja';

/**
 * @param files tokenizer.json, and tokenizer_config.json and chat_template.jinja where there are such
 * @throws FormatError for damaged files; ConfigError, naming what is supported, for a tokenizer that llama.cpp has not
 */
export function vocabularyOfFiles(files: ReadonlyMap<string, Uint8Array>, options: FilesOptions): FoundVocabulary {
  const json = readJson(files, TOKENIZER);
  if (json === undefined) {
    const remedy = 'Save the tokenizer with transformers: tokenizer.save_pretrained(folder).';
    throw new ConfigError(`A GGUF needs ${TOKENIZER}, got ${[...files.keys()].join(', ') || 'no file'}. ${remedy}`);
  }
  const config = readJson(files, CONFIG) ?? {};
  const place = { file: TOKENIZER, field: 'model' };
  const model = isObject(json.model) ? json.model : {};
  checkModel(model);
  const vocab = readVocab(model.vocab, place);
  const merges = readMerges(model.merges, vocab, place);
  const isSentencePiece = model.byte_fallback === true;
  const unkToken = typeof model.unk_token === 'string' ? model.unk_token : undefined;
  const layOut = { vocab, added: readAdded(json, config), size: options.vocabSize, isSentencePiece, unkToken };
  const { tokens, kinds } = layOutTokens(layOut);
  const roles = readRoles(tokens, json, config, options.config, unkToken);
  for (const [role, id] of Object.entries(roles.roles)) {
    if (kinds[id] !== 'unknown') kinds[id] = role === 'unk' && isSentencePiece ? 'unknown' : 'control';
  }
  const common = { tokens, kinds, ...roles, chatTemplate: options.chatTemplate ?? readTemplate(files, config) };
  if (isSentencePiece) {
    const { addsSpace, differences } = matchSentencePiece(json, tokens);
    const scores = scoresOfMerges(tokens, kinds, merges);
    return { vocabulary: { ...common, model: 'llama', scores, addsSpace }, differences };
  }
  const { preTokenizer, differences } = matchByteLevel(json, model.ignore_merges === true);
  return { vocabulary: { ...common, model: 'gpt2', merges, preTokenizer }, differences };
}

function readJson(files: ReadonlyMap<string, Uint8Array>, name: string): JsonObject | undefined {
  const bytes = files.get(name);
  if (bytes === undefined) return undefined;
  if (bytes.byteLength <= MAX_TOKENIZER_JSON_BYTES) return parseJsonObject(bytes, name);
  throw new FormatError(`${name} has ${bytes.byteLength} bytes, expected at most ${MAX_TOKENIZER_JSON_BYTES}.`, {
    file: name,
  });
}

function checkModel(model: JsonObject): void {
  const type = model.type ?? (model.merges === undefined ? 'none' : 'BPE');
  if (type !== 'BPE') throw refusal('model.type', `is ${String(type)}`, 'BPE, byte-level or with byte_fallback');
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout']) {
    const isAbsent = [undefined, null, '', 0].some((none) => model[key] === none);
    if (!isAbsent) throw refusal(`model.${key}`, 'is set', 'null');
  }
  if (model.byte_fallback === true && model.ignore_merges === true) {
    throw refusal('model.ignore_merges', 'is true beside byte_fallback', 'false');
  }
}

/** `["a", "b"]`, or "a b" as files before 2024 have it. */
function readMerges(value: unknown, vocab: ReadonlyMap<string, number>, place: ComponentPlace) {
  if (!Array.isArray(value)) throw fieldError(place, 'merges', 'must be a list of pairs.');
  const list = value.filter((entry) => !(typeof entry === 'string' && entry.startsWith('#version')));
  return list.map((entry: unknown, i): readonly [string, string] => {
    const pair: unknown = typeof entry === 'string' ? entry.split(' ') : entry;
    const isPair = Array.isArray(pair) && pair.length === 2;
    if (isPair && [...pair, pair.join('')].every((token) => vocab.has(token))) return pair as [string, string];
    throw fieldError(place, `merges[${i}]`, 'must join two tokens of the vocabulary to a third.');
  });
}

/** Those of tokenizer.json, then what tokenizer_config.json adds. */
function readAdded(json: JsonObject, config: JsonObject): AddedToken[] {
  const list = json.added_tokens ?? [];
  const field = 'added_tokens';
  if (!Array.isArray(list)) throw new FormatError(`${TOKENIZER}: ${field} must be a list.`, { file: TOKENIZER, field });
  checkCount(list.length, TOKENIZER, field);
  const tokens = list.map((value: unknown, i) => {
    return readAddedToken(value, isObject(value) ? value.id : undefined, TOKENIZER, `${field}[${i}]`);
  });
  const known = new Set(tokens.map(({ content }) => content));
  return [...tokens, ...readAddedTokensDecoder(config, CONFIG).filter(({ content }) => !known.has(content))];
}

interface Roles {
  readonly roles: Readonly<Partial<Record<TokenRole, number>>>;
  readonly addsBos: boolean;
  readonly addsEos: boolean;
}

/** Which tokens have a role, and which of them stand around a text. */
function readRoles(
  tokens: readonly string[],
  json: JsonObject,
  config: JsonObject,
  modelConfig: JsonObject,
  unkToken: string | undefined,
): Roles {
  const roles: Partial<Record<TokenRole, number>> = {};
  for (const role of ['bos', 'eos', 'unk', 'pad'] as const) {
    const stated = config[`${role}_token`] ?? (role === 'unk' ? unkToken : undefined);
    const content = isObject(stated) ? stated.content : stated;
    const ids: unknown = modelConfig[`${role}_token_id`];
    const id = typeof content === 'string' ? tokens.indexOf(content) : Array.isArray(ids) ? ids[0] : ids;
    if (id === undefined || id === null) continue;
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= tokens.length) {
      const file = typeof content === 'string' ? CONFIG : 'config.json';
      const field = typeof content === 'string' ? `${role}_token` : `${role}_token_id`;
      throw new FormatError(`${file}: ${field} is none of the ${tokens.length} tokens.`, { file, field });
    }
    roles[role] = id as number;
  }
  const around = readAround(json, config, roles);
  for (const role of ['bos', 'eos'] as const) {
    const id = around[role];
    if (id === undefined) continue;
    roles[role] ??= id;
    if (id !== roles[role]) {
      throw refusal('post_processor', `adds token ${id}, but ${role}_token is ${roles[role]}`, 'one and the same');
    }
  }
  if (roles.eos === undefined) {
    throw refusal('eos_token', 'is not stated', `its name in ${CONFIG}: llama.cpp would end texts at some other token`);
  }
  return { roles, addsBos: around.bos !== undefined, addsEos: around.eos !== undefined };
}

type Around = { readonly bos: number | undefined; readonly eos: number | undefined };

/** Tokens before and after a text: of the post-processor, or as tokenizer_config.json asks for them. */
function readAround(json: JsonObject, config: JsonObject, roles: Partial<Record<TokenRole, number>>): Around {
  if (json.post_processor === undefined || json.post_processor === null) {
    const added = (role: 'bos' | 'eos') => (config[`add_${role}_token`] === true ? roles[role] : undefined);
    return { bos: added('bos'), eos: added('eos') };
  }
  const { single } = createTemplate(json.post_processor, { file: TOKENIZER, field: 'post_processor' });
  const text = single.findIndex((item) => 'sequence' in item);
  const idsOf = (items: typeof single) => items.flatMap((item) => ('id' in item ? [item.id] : []));
  const [before, after] = [idsOf(single.slice(0, text)), idsOf(single.slice(text))];
  if (before.length > 1 || after.length > 1) {
    throw refusal('post_processor', `puts ${before.length} + ${after.length} tokens around a text`, 'one on each side');
  }
  return { bos: before[0], eos: after[0] };
}

/** The file of its own, as in transformers, before the one in tokenizer_config.json; of several the default one. */
function readTemplate(files: ReadonlyMap<string, Uint8Array>, config: JsonObject): string | undefined {
  const own = files.get(TEMPLATE);
  if (own !== undefined) return new TextDecoder().decode(own);
  const { chat_template: given } = config;
  const named = Array.isArray(given) ? given.find((entry) => isObject(entry) && entry.name === 'default') : undefined;
  const template: unknown = isObject(named) ? named.template : given;
  return typeof template === 'string' ? template : undefined;
}
