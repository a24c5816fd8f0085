import { ReplaceNormalizer } from '@huggingface/tokenizers';
import { FormatError } from 'onnx-grad';
import { isObject, type JsonObject } from '../../files/json.ts';
import { parseCharsmap } from '../charsmap.ts';
import { build, type ComponentPlace, componentList, fieldError } from './components.ts';
import { createPrecompiled } from './precompiled.ts';
import { controlCharacters, nonspacingMarks } from './unicode-tables.ts';

/**
 * The "normalizer" of a tokenizer.json as a function from text to text.
 *
 * @huggingface/tokenizers supplies Replace, with its translation of Oniguruma patterns. The others are ours because its
 * own differ from the reference (version 0.2.0): BertNormalizer misses ideographs beyond U+FFFF, lower-cases before it
 * strips accents, applies the final-sigma rule and newer Unicode tables; Precompiled approximates the character map by
 * NFKC; Strip and Lowercase follow JavaScript where the reference follows Rust.
 *
 * Source: tokenizers 0.23, src/normalizers
 */
export type Normalizer = (text: string) => string;

const MAX_CHARSMAP_CHARS = 16 * 2 ** 20;

const normalizers: { readonly [type: string]: (config: JsonObject, place: ComponentPlace) => Normalizer } = {
  BertNormalizer: createBertNormalizer,
  Precompiled: (config, place) => createPrecompiled(readCharsmap(config.precompiled_charsmap, place)),
  Lowercase: () => lowerCase,
  Strip: ({ strip_left: left, strip_right: right }) => {
    return (text) => strip(text, left === true, right === true);
  },
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Prepend: ({ prepend }, place) => {
    if (typeof prepend !== 'string') throw fieldError(place, 'prepend', 'must be a string.');
    return (text) => (text === '' ? '' : prepend + text);
  },
  Replace: createReplace,
  Sequence: (config, place) => {
    const steps = componentList(config, 'normalizers', place).map(([value, at]) => createNormalizer(value, at));
    return (text) => steps.reduce((result, step) => step(result), text);
  },
};

/** @throws FormatError naming the field, for unknown types and bad settings */
export function createNormalizer(value: unknown, place: ComponentPlace): Normalizer {
  if (value === null || value === undefined) return (text) => text;
  return build(normalizers, value, place);
}

const IDEOGRAPH = // bert.rs, `is_chinese_char`; the gap from U+2B820 to U+2B91F is the reference's
  /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/gu;

function createBertNormalizer(config: JsonObject): Normalizer {
  const isLower = config.lowercase !== false;
  const stripsAccents = typeof config.strip_accents === 'boolean' ? config.strip_accents : isLower;
  const steps: Normalizer[] = [];
  if (config.clean_text !== false) {
    steps.push((text) => text.replace(controlCharacters, '').replace(/\p{White_Space}/gu, ' '));
  }
  if (config.handle_chinese_chars !== false) steps.push((text) => text.replace(IDEOGRAPH, ' $& '));
  if (stripsAccents) steps.push((text) => text.normalize('NFD').replace(nonspacingMarks, ''));
  if (isLower) steps.push(lowerCase);
  return (text) => steps.reduce((result, step) => step(result), text);
}

/** Character by character: JavaScript alone would turn a word's last Σ into ς. */
function lowerCase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}

const WHITE_SPACE = /^\p{White_Space}$/u; // no member lies beyond U+FFFF

/** Unicode white space off the ends; `trim` would also take U+FEFF, and leave U+0085. */
function strip(text: string, left: boolean, right: boolean): string {
  let [start, end] = [0, text.length];
  if (left) while (start < end && WHITE_SPACE.test(text[start]!)) start++;
  if (right) while (end > start && WHITE_SPACE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function createReplace(config: JsonObject, place: ComponentPlace): Normalizer {
  const { pattern, content } = config;
  if (typeof content !== 'string') throw fieldError(place, 'content', 'must be a string.');
  if (!isObject(pattern)) throw fieldError(place, 'pattern', 'must be {"String": …} or {"Regex": …}.');
  if (typeof pattern.String === 'string') {
    const literal = pattern.String;
    return literal === '' ? (text) => text : (text) => text.split(literal).join(content);
  }
  if (typeof pattern.Regex !== 'string' || pattern.Regex.length > 1000) {
    throw fieldError(place, 'pattern.Regex', 'must be a pattern of at most 1,000 characters.');
  }
  try {
    // the library hands `content` to replaceAll, where "$&" would not be literal
    const replace = new ReplaceNormalizer({ type: 'Replace', pattern, content: content.replaceAll('$', '$$$$') });
    return (text) => replace.normalize(text);
  } catch (cause) {
    throw fieldError(place, 'pattern.Regex', 'is a pattern we cannot translate.', cause);
  }
}

function readCharsmap(value: unknown, place: ComponentPlace) {
  const field = `${place.field}.precompiled_charsmap`;
  if (typeof value !== 'string' || value.length > MAX_CHARSMAP_CHARS) {
    throw new FormatError(`${place.file}: ${field} must be a base64 string.`, { file: place.file, field });
  }
  let binary: string;
  try {
    binary = atob(value);
  } catch (cause) {
    throw new FormatError(`${place.file}: ${field} is not base64.`, { file: place.file, field, cause });
  }
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  return parseCharsmap(bytes, place.file, field);
}
