/** Long texts in windows of so many tokens that overlap: nothing is cut away, and each knows its place in the text. */
import type { Tokenizer } from '@harmaug/models';

/** UTF-16 offsets: where it begins, and the first that is no longer part of it. */
export type Place = readonly [begin: number, end: number];

/** A stretch of a text and the tokens of exactly that stretch, special ones left out. */
export interface Window {
  readonly begin: number;
  readonly end: number;
  readonly ids: readonly number[];
}

/** A stretch that is never divided, and how many tokens it has alone. */
interface Piece {
  readonly end: number;
  readonly tokens: number;
}

type Tokenize = Tokenizer['tokenize'];

const PIECE_CHARACTERS = 64;
/** Share of a window that the next one sees again, less a piece: what is not longer lies whole in one of them. */
const OVERLAP = 1 / 4;

/**
 * The text as one window where it fits, else as windows of at most `budget` tokens, from its beginning to its end. They are
 * cut at white space where there is some, never inside a surrogate pair. Time and number are linear in the length.
 */
export function cutWindows(tokenize: Tokenize, text: string, budget: number): Window[] {
  const whole = (): Window => ({ begin: 0, end: text.length, ids: tokenize(text) });
  const isShort = text.length <= 4 * budget;
  if (isShort) {
    const only = whole();
    if (only.ids.length <= budget) return [only];
  }
  const share = Math.max(1, Math.floor(budget * OVERLAP));
  const pieces = cutPieces(tokenize, text, Math.max(Math.min(share, 4), Math.floor(share / 4)));
  const total = pieces.reduce((sum, { tokens }) => sum + tokens, 0);
  if (!isShort && total <= 1.5 * budget) {
    const only = whole(); // pieces may have more tokens than the whole
    if (only.ids.length <= budget) return [only];
  }
  return fillWindows(tokenize, text, pieces, { budget, overlap: share });
}

/** Pieces of at most 64 characters and `most` tokens, unless one character has more. */
function cutPieces(tokenize: Tokenize, text: string, most: number): Piece[] {
  const pieces: Piece[] = [];
  const add = (begin: number, end: number): void => {
    const tokens = tokenize(text.slice(begin, end)).length;
    const middle = tokens > most ? cutBefore(text, begin, begin + Math.ceil((end - begin) / 2)) : end;
    if (middle >= end) {
      pieces.push({ end, tokens });
      return;
    }
    add(begin, middle);
    add(middle, end);
  };
  for (let begin = 0; begin < text.length; ) {
    const limit = begin + PIECE_CHARACTERS;
    const end = limit >= text.length ? text.length : cutBefore(text, begin, limit);
    add(begin, end);
    begin = end;
  }
  return pieces;
}

/**
 * The last place before white space in (begin, limit], so that a space stays with the word after it, as tokenizers have it;
 * else the limit, one further where it would part a surrogate pair.
 */
function cutBefore(text: string, begin: number, limit: number): number {
  for (let at = limit; at > begin; at--) if (isSpace(text.charCodeAt(at))) return at;
  const isInPair =
    isBetween(text.charCodeAt(limit - 1), 0xd800, 0xdbff) && isBetween(text.charCodeAt(limit), 0xdc00, 0xdfff);
  return isInPair ? limit + 1 : limit;
}

const isBetween = (code: number, first: number, last: number): boolean => code >= first && code <= last;
const isSpace = (code: number): boolean =>
  code === 0x20 || isBetween(code, 0x09, 0x0d) || code === 0xa0 || code === 0x3000;

interface Sizes {
  readonly budget: number;
  readonly overlap: number;
}

function fillWindows(tokenize: Tokenize, text: string, pieces: readonly Piece[], { budget, overlap }: Sizes): Window[] {
  const windows: Window[] = [];
  const beginOf = (piece: number): number => (piece === 0 ? 0 : pieces[piece - 1]!.end);
  let reached = 0; // pieces that some window holds
  for (let first = 0; reached < pieces.length; ) {
    let next = first;
    for (let sum = 0; next < pieces.length && sum + pieces[next]!.tokens <= budget; next++) sum += pieces[next]!.tokens;
    next = Math.max(next, first + 1);
    const encode = (): number[] => tokenize(text.slice(beginOf(first), pieces[next - 1]!.end));
    let ids = encode();
    // tokens of a whole may outnumber those of its pieces: a first word after a space, a cut inside a word
    while (ids.length > budget && next > first + 1) {
      for (let over = ids.length - budget; over > 0 && next > first + 1; next--)
        over -= Math.max(1, pieces[next - 1]!.tokens);
      ids = encode();
    }
    if (next <= reached) {
      first += 1;
      continue;
    }
    const [begin, end] = [beginOf(first), pieces[next - 1]!.end];
    // one character of more tokens than a window has: its tokens share its place
    for (let at = 0; at === 0 || at < ids.length; at += budget)
      windows.push({ begin, end, ids: ids.slice(at, at + budget) });
    reached = next;
    let seenAgain = 0;
    let start = next;
    while (start > first + 1 && seenAgain + pieces[start - 1]!.tokens <= overlap) seenAgain += pieces[--start]!.tokens;
    first = start;
  }
  return windows;
}
