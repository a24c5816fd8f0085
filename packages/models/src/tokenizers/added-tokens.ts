import { FormatError } from 'onnx-grad';
import { isObject, type JsonObject, quote } from '../files/json.ts';

/** Tokens matched literally in the text before any model sees it: control tokens, and words added after training. */

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** A control token. */
  readonly special: boolean;
  /** Matched after the normalizer has run, in normalised form. */
  readonly normalized: boolean;
  /** Swallows white space before it, after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Only where no word character stands next to it. */
  readonly singleWord: boolean;
}

const MAX_ADDED_TOKENS = 20_000;
const MAX_CONTENT_CHARS = 1_000;

/**
 * Reads one token as tokenizer.json and tokenizer_config.json write it.
 * @throws FormatError naming file and field
 */
export function readAddedToken(value: unknown, id: unknown, file: string, field: string): AddedToken {
  const content = isObject(value) ? value.content : undefined;
  if (!isObject(value) || typeof content !== 'string' || content === '' || content.length > MAX_CONTENT_CHARS) {
    throw new FormatError(`${file}: ${field} must be an added token with a "content" of 1 to 1,000 characters.`, {
      file,
      field,
    });
  }
  const special = value.special === true;
  return {
    id: readId(id, file, field),
    content,
    special,
    normalized: typeof value.normalized === 'boolean' ? value.normalized : !special,
    lstrip: value.lstrip === true,
    rstrip: value.rstrip === true,
    singleWord: value.single_word === true,
  };
}

/** `added_tokens_decoder` of tokenizer_config.json: id -> token. */
export function readAddedTokensDecoder(config: JsonObject, file: string): AddedToken[] {
  const field = 'added_tokens_decoder';
  if (config[field] === undefined) return [];
  if (!isObject(config[field])) throw new FormatError(`${file}: ${field} must be an object.`, { file, field });
  const entries = Object.entries(config[field]);
  checkCount(entries.length, file, field);
  return entries.map(([id, value]) =>
    readAddedToken(value, /^\d+$/.test(id) ? Number(id) : undefined, file, `${field}[${quote(id)}]`),
  );
}

export function checkCount(count: number, file: string, field: string): void {
  if (count > MAX_ADDED_TOKENS) {
    const message = `${file}: ${field} has ${count} tokens, expected at most ${MAX_ADDED_TOKENS}.`;
    throw new FormatError(message, { file, field });
  }
}

/** A token id: below 2^24, so that tables by id stay small. */
export function readId(id: unknown, file: string, field: string): number {
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= 2 ** 24) {
    throw new FormatError(`${file}: ${field} must be a token id, a whole number from 0 to 16,777,215.`, {
      file,
      field,
    });
  }
  return id as number;
}

/** A stretch of text, or the id of the token that was found there. */
export type Segment = string | number;

// \w of the regex crate, which the reference uses for `single_word`
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');
const WHITE_SPACE = /^\p{White_Space}$/u;

/**
 * Cuts texts at the given tokens: leftmost first, then longest.
 * Source: tokenizers 0.23, added_vocabulary.rs, `find_matches`
 */
export function createSplitter(tokens: readonly AddedToken[]): (text: string) => Segment[] {
  if (tokens.length === 0) return (text) => [text];
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'gu');

  return (text) => {
    const segments: Segment[] = [];
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0])!;
      let [start, end] = [match.index, match.index + match[0].length];
      if (token.singleWord && touchesWord(text, start, end)) continue;
      if (token.lstrip) while (start > done && WHITE_SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) while (end < text.length && WHITE_SPACE.test(text[end]!)) end++;
      if (start > done) segments.push(text.slice(done, start));
      segments.push(token.id);
      done = end;
    }
    if (done < text.length) segments.push(text.slice(done));
    return segments;
  };
}

function touchesWord(text: string, start: number, end: number): boolean {
  return (
    ENDS_WITH_WORD.test(text.slice(Math.max(0, start - 2), start)) || STARTS_WITH_WORD.test(text.slice(end, end + 2))
  );
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
