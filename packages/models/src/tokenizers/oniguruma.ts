/**
 * Patterns of tokenizer files, which Oniguruma reads in the reference, as JavaScript's: the parts that byte-level
 * vocabularies cut words with, from GPT-2's to Llama 3's and Qwen's.
 *
 * Source: tokenizers 0.23, utils/onig.rs; kkos/oniguruma, doc/RE
 */
import { LETTER, NUMBER, SPACE } from './byte-level.ts';

/** Parts of a pattern that read differently, tried in this order. */
const PART = /\\p\{L\}|\\p\{N\}|\\[sS]|\(\?i:((?:[^()\\]|\\.)*)\)|\\.|[^\\]/gsu;

const translations: Readonly<Record<string, string>> = {
  '\\p{L}': LETTER,
  '\\p{N}': NUMBER,
  '\\s': SPACE,
  '\\S': `[^${SPACE}]`,
};

/** What a letter equals but for case, beyond its own two forms. */
const furtherForms: Readonly<Record<string, string>> = { s: 'ſ', k: '\u212a' };

/** `(?i:'s|'t)` spelled out, which engines before 2024 cannot read. */
function inEitherCase(body: string): string {
  const spelled = body.replace(/\p{L}/gu, (letter) => {
    const [lower, upper] = [letter.toLowerCase(), letter.toUpperCase()];
    return `[${lower}${upper === lower ? '' : upper}${furtherForms[lower] ?? ''}]`;
  });
  return `(?:${spelled})`;
}

/** @throws SyntaxError for a pattern that has no counterpart */
export function translatePattern(source: string): RegExp {
  const translated = source.replace(PART, (part, either: string | undefined) => {
    return either === undefined ? (translations[part] ?? part) : inEitherCase(either);
  });
  return new RegExp(translated, 'gv');
}
