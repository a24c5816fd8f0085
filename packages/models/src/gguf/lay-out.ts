import { ConfigError, FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import type { AddedToken } from '../tokenizers/added-tokens.ts';
import { refusal } from './refusal.ts';
import type { TokenKind } from './vocabulary.ts';

/** A token and its kind for every row of the word embeddings, as llama.cpp wants them. */

export interface TokensToLayOut {
  readonly vocab: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
  /** Rows of the word embeddings. */
  readonly size: number;
  readonly isSentencePiece: boolean;
  readonly unkToken: string | undefined;
}

/** llama.cpp takes these for tokens wherever they stand, whatever their kind. Source: llama-vocab.cpp, "gpt-oss" */
const READ_IN_ANY_TEXT = ['<|channel|>', '<|message|>', '<|start|>', '<|constrain|>'];

const BYTE = /^<0x[0-9A-F]{2}>$/;

/** @throws FormatError for ids given twice; ConfigError for more tokens than rows, and for tokens that a GGUF cannot have */
export function layOutTokens({ vocab, added, size, isSentencePiece, unkToken }: TokensToLayOut) {
  const tokens = new Array<string | undefined>(size).fill(undefined);
  const kinds = new Array<TokenKind>(size).fill('unused');
  const place = (text: string, id: number, kind: TokenKind) => {
    if (id >= size) {
      throw new ConfigError(`tokenizer.json: token ${id} is beyond the model's ${size}. They are not of one model.`);
    }
    const other = tokens[id] ?? text;
    if (other !== text) throw twice(`tokens ${quote(other)} and ${quote(text)} both have`, id);
    tokens[id] = text;
    kinds[id] = kind;
  };
  for (const [text, id] of vocab) place(text, id, isSentencePiece && BYTE.test(text) ? 'byte' : 'normal');
  for (const token of added) {
    const { id, content, special } = token;
    const known = vocab.get(content) ?? id;
    if (known !== id) throw twice(`token ${quote(content)} has id ${known} and`, id);
    expectPlain(token, isSentencePiece);
    place(content, id, isSentencePiece && content === unkToken ? 'unknown' : special ? 'control' : 'user-defined');
  }
  if (isSentencePiece) expectBytes(vocab);
  return { tokens: fillHoles(tokens), kinds };
}

function twice(what: string, id: number): FormatError {
  return new FormatError(`tokenizer.json: ${what} id ${id}. Expected one id a token.`, {
    file: 'tokenizer.json',
    field: 'added_tokens',
  });
}

/** An added token that is found in a text wherever its content stands, if it is wanted, and nowhere else. */
function expectPlain(token: AddedToken, isSentencePiece: boolean): void {
  const { content, special, lstrip, rstrip, singleWord, normalized } = token;
  const field = `token ${quote(content)}`;
  if (lstrip || rstrip || singleWord) {
    throw refusal(field, 'takes its surroundings into account', 'lstrip, rstrip and single_word to be false');
  }
  if (isSentencePiece && !special && normalized) throw refusal(field, 'is normalized', 'normalized to be false');
  if (special && READ_IN_ANY_TEXT.includes(content)) {
    throw refusal(field, "would be read as a control token in users' texts", 'another name for it');
  }
}

function expectBytes(vocab: ReadonlyMap<string, number>): void {
  const missing = Array.from({ length: 256 }, (_, byte) => byteToken(byte)).find((token) => !vocab.has(token));
  if (missing !== undefined) throw refusal('model.vocab', `has no ${missing}`, 'the tokens of all 256 bytes');
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Ids without a token get one that no other is: llama.cpp wants every text once. */
function fillHoles(tokens: readonly (string | undefined)[]): string[] {
  const taken = new Set(tokens);
  return tokens.map((token, id) => {
    if (token !== undefined) return token;
    let filler = `[PAD${id}]`; // as llama.cpp's converter names them
    while (taken.has(filler)) filler += '_';
    return filler;
  });
}
