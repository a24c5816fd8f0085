/**
 * Byte-level text, as GPT-2 brought it: every byte is written as one printable character, so that a vocabulary of strings
 * can spell any text and nothing is unknown.
 *
 * Source: openai/gpt-2, encoder.py `bytes_to_unicode` and `Encoder.pat`; tokenizers 0.23, pre_tokenizers/byte_level.rs
 */

/** Byte -> character: printable Latin-1 stands for itself, the other 68 for U+0100 and on, in order. */
export const byteCharacters: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
})();

const byteOf = new Map(byteCharacters.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A text's UTF-8 bytes as characters. */
export function toByteLevel(text: string): string {
  let result = '';
  for (const byte of encoder.encode(text)) result += byteCharacters[byte]!;
  return result;
}

/** Tokens back to text. A token with any other character, one that was added, stands for itself. */
export function fromByteLevel(tokens: readonly string[]): string {
  const bytes = tokens.flatMap((token) => {
    const own = Array.from(token, (character) => byteOf.get(character));
    return own.includes(undefined) ? [...encoder.encode(token)] : (own as number[]);
  });
  return decoder.decode(Uint8Array.from(bytes));
}

// Letters and numbers that Unicode 17 added: the reference's tables (Oniguruma's, recorded from tokenizers 0.23.3 over all
// code points by test/oracles/tokenizers/record_tables.py) are those of Unicode 16, and a model's ids follow them.
const YOUNGER_LETTERS =
  '\\u{88F}\\u{C5C}\\u{CDC}\\u{A7CE}\\u{A7CF}\\u{A7D2}\\u{A7D4}\\u{A7F1}\\u{10940}-\\u{10959}\\u{10EC5}-\\u{10EC7}' +
  '\\u{11DB0}-\\u{11DDB}\\u{16EA0}-\\u{16EB8}\\u{16EBB}-\\u{16ED3}\\u{16FF2}\\u{16FF3}\\u{187F8}-\\u{187FF}' +
  '\\u{18D09}-\\u{18D1E}\\u{18D80}-\\u{18DF2}\\u{1E6C0}-\\u{1E6DE}\\u{1E6E0}-\\u{1E6E2}\\u{1E6E4}\\u{1E6E5}' +
  '\\u{1E6E7}-\\u{1E6ED}\\u{1E6F0}-\\u{1E6F4}\\u{1E6FE}\\u{1E6FF}\\u{2B73A}-\\u{2B73F}\\u{2CEA2}-\\u{2CEAD}' +
  '\\u{323B0}-\\u{33479}';
const YOUNGER_NUMBERS = '\\u{11DE0}-\\u{11DE9}\\u{16FF4}-\\u{16FF6}';
/** Classes of the reference's patterns, for the flag v. */
export const LETTER = `[\\p{L}--[${YOUNGER_LETTERS}]]`;
export const NUMBER = `[\\p{N}--[${YOUNGER_NUMBERS}]]`;
export const SPACE = '\\p{White_Space}';
const WORDS = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?${LETTER}+| ?${NUMBER}+| ?[^${SPACE}${LETTER}${NUMBER}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`,
  'gv',
);

/** GPT-2's cut into words: contractions, and runs of letters, numbers or signs, each with one space before it. */
export function splitWords(text: string): string[] {
  return text.match(WORDS) ?? [];
}
