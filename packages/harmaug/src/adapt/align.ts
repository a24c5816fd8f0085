/** Which tokens of a disguised text stand for which word of what it was made from. */
import type { Tokenizer } from '@harmaug/models';

const NO_WORD = -1;

/**
 * Of each token the number of the word, between white space, that it is a part of; -1 for special tokens.
 * @param ids what `tokenizer.encode(text)` gave, cut or not
 * @returns `null` where the tokenizer does not cut at white space, so that tokens belong to no one word
 */
export function wordsOfTokens(tokenizer: Tokenizer, text: string, ids: ArrayLike<number>): Int32Array | null {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const whole = tokenizer.tokenize(text);
  for (const before of ['', ' ']) {
    const parts = words.map((word, at) => tokenizer.tokenize(at === 0 ? word : before + word));
    if (!isEqual(parts.flat(), whole)) continue;
    const ofText = parts.flatMap((part, word) => part.map(() => word));
    const first = firstOf(ids, whole);
    return Int32Array.from(ids, (_, at) => ofText[at - first] ?? NO_WORD).map((word, at) =>
      ids[at] === whole[at - first] ? word : NO_WORD,
    );
  }
  return null;
}

/** How many special tokens an encoder's template puts before the text. */
function firstOf(ids: ArrayLike<number>, whole: readonly number[]): number {
  return ids.length > 0 && whole.length > 0 && ids[0] === whole[0] ? 0 : 1;
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, at) => id === b[at]);
}
