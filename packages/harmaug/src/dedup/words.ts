/** A text as it is compared with others: case, width, punctuation and spacing aside. */

const IS_ASCII = /^[\0-\x7f]*$/;

/** Words, and the single characters of scripts that write without spaces. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[[\p{L}\p{M}\p{N}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]]+/gv;
const ASCII_WORD = /[a-z0-9]+/g;

export function wordsOf(text: string): string[] {
  const lower = text.toLowerCase();
  if (IS_ASCII.test(lower)) return lower.match(ASCII_WORD) ?? [];
  return lower.normalize('NFKC').toLowerCase().match(WORD) ?? [];
}
