/** How much a text's letters look like English, by pairs of neighbours. */

/**
 * -2 log2 of P(letter | letter before) as a letter, a = 0, at most z = 25; rows a to z and the gap between words, columns
 * likewise. Counted on 8 million characters of questions to assistants.
 */
const TABLE = [
  'xljlvolukumhkfwmzgignmqtltg',
  'hprtdxzwiozhsvfvzjlnhuzzizk',
  'fzmxgzzgizkkwyfxwiogjzzznzj',
  'jtwnfvpsgtzotrjvxlkykotznzc',
  'jrkiloosnyuklhonrghktmploxd',
  'iwxzhjzzgzzmzzfzzirkjzzznzd',
  'itzsfumihzzmtljszimqjzwznzd',
  'ftuvdxzzgzzrrogzzmtlnzvzmzh',
  'knikjllzwxojkeinqkhgujzuzoj',
  'gyyseuuwkurusudsuopweuuwyyl',
  'luusdsprfxwnphnqzqisoztzoze',
  'htsiforygzrhqshnzvkllorzizf',
  'fkuyeqxzhzzskthhzvlxkyuzkzg',
  'jvjghngukuoprojuyuigoowynxe',
  'pomlqhnsosokifmlzglkgljuryg',
  'hvtvfrzjjzygqvgkzfljjzzzozi',
  'pvvxxxtvtvxoxvvsvtvvavvvxtl',
  'hrmleqnugznnlmhpznjjmpuzkzf',
  'mvkwgswkizopprilvvjgjyrzozd',
  'itrxgtzegzzosuhuzklnmxnzlze',
  'jmjkjrkzkyuhkhskzgggzuzvswh',
  'hyyzczzzezzyxziuzvvzpyzzrzo',
  'gvutguzffzwoykgwzjmtxzuzvzg',
  'hukzjqxphzxxwzqduwvgjwvuoxg',
  'popqkttymzyonoflzpjovzrzxrb',
  'ftswcwspgutnqqitwwssmustlki',
  'gkikkjlkhppljlijskhgmoixlwz',
].map((row) => [...row].map((letter) => (letter.charCodeAt(0) - 97) / 2));

const GAP = 26;

/** 0 to 25 for an ASCII letter of either case, 26 for anything else. */
export function letterOf(code: number): number {
  const letter = (code | 32) - 97;
  return letter >= 0 && letter < 26 && code < 128 ? letter : GAP;
}

/** A text's pairs of neighbours, counted once so that alphabets can be tried out. */
export interface LetterPairs {
  /** Row before, column after. */
  readonly counts: Uint32Array;
  readonly letters: number;
  readonly pairs: number;
}

export function countPairs(text: string): LetterPairs {
  const counts = new Uint32Array(27 * 27);
  let letters = 0;
  let pairs = 0;
  let before = GAP;
  for (let i = 0; i <= text.length; i++) {
    const letter = i < text.length ? letterOf(text.charCodeAt(i)) : GAP;
    if (letter !== GAP) letters++;
    if (letter === GAP && before === GAP) continue;
    counts[27 * before + letter]!++;
    pairs++;
    before = letter;
  }
  return { counts, letters, pairs };
}

/**
 * Bits a pair of neighbours takes: about 3.4 for English, 4 to 4.5 for other languages in Latin letters, 6 and more for
 * letters in disorder.
 * @param shift every letter moved so far in the alphabet
 */
export function bitsOf({ counts, pairs }: LetterPairs, { shift = 0, isReversed = false } = {}): number {
  const place = (letter: number): number => (letter === GAP ? GAP : (letter + shift) % 26);
  let sum = 0;
  for (let pair = 0; pair < counts.length; pair++) {
    if (counts[pair] === 0) continue;
    const [before, after] = [place(Math.floor(pair / 27)), place(pair % 27)];
    sum += counts[pair]! * (isReversed ? TABLE[after]![before]! : TABLE[before]![after]!);
  }
  return pairs === 0 ? 0 : sum / pairs;
}

/** Bits of one pair. */
export function pairBits(before: string, after: string): number {
  return TABLE[letterOf(before.charCodeAt(0))]![letterOf(after.charCodeAt(0))]!;
}
