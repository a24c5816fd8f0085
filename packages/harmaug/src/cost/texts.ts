/** Mild texts of a stated length, each begun in another way: a server that keeps beginnings has to read them all the same. */
import { mulberry32 } from '@harmaug/models';

const words =
  'the my your a new old kind plan team song cake dog hat garden joke day week friend house book river door window paper school music dinner summer letter train coffee teacher question answer story picture'.split(
    ' ',
  );

/**
 * @param tokens at most as many it has by `count`, and as many where a word fits
 * @param count  tokens of a text
 */
export function textOfTokens(tokens: number, seed: number, count: (text: string) => number): string {
  const uniform = mulberry32(seed);
  const list = Array.from({ length: Math.max(1, tokens) }, () => words[Math.floor(uniform() * words.length)]!);
  const textOf = (length: number) => list.slice(0, length).join(' ');
  let [fits, tooLong] = [1, list.length + 1]; // words
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (count(textOf(middle)) <= tokens) fits = middle;
    else tooLong = middle;
  }
  return textOf(fits);
}
