import { isObject, type JsonObject } from '../../files/json.ts';
import { splitWords, toByteLevel } from '../byte-level.ts';
import { translatePattern } from '../oniguruma.ts';
import { build, type ComponentPlace, componentList, fieldError } from './components.ts';
import { punctuationClass } from './unicode-tables.ts';

/**
 * The "pre_tokenizer" of a tokenizer.json: text to the words the model sees.
 *
 * All ours: those of @huggingface/tokenizers 0.2.0 use JavaScript's white space and its newer punctuation, join
 * neighbouring punctuation, do not split at U+2581, and know other Unicode tables than the reference's patterns.
 *
 * Source: tokenizers 0.23, src/pre_tokenizers
 */
export type PreTokenizer = (text: string, isFirst: boolean) => string[];

const preTokenizers: { readonly [type: string]: (config: JsonObject, place: ComponentPlace) => PreTokenizer } = {
  BertPreTokenizer: () => matching(`[^\\p{White_Space}${punctuationClass}]+|[${punctuationClass}]`),
  Whitespace: () => {
    const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}'; // \w of the regex crate
    return matching(`[${word}]+|[^${word}\\p{White_Space}]+`);
  },
  WhitespaceSplit: () => matching('[^\\p{White_Space}]+'),
  Punctuation: ({ behavior = 'Isolated' }, place) => {
    if (behavior !== 'Isolated') throw fieldError(place, 'behavior', 'is not supported. Supported: Isolated.');
    return matching(`[^${punctuationClass}]+|[${punctuationClass}]`);
  },
  Split: createSplit,
  Metaspace: createMetaspace,
  ByteLevel: ({ add_prefix_space: addSpace = true, use_regex: usesRegex = true }) => {
    const split = usesRegex === false ? (text: string) => [text] : splitWords;
    return (text) => split(addSpace !== false && !text.startsWith(' ') ? ` ${text}` : text).map(toByteLevel);
  },
  Sequence: (config, place) => {
    const steps = componentList(config, 'pretokenizers', place).map(([value, at]) => createPreTokenizer(value, at));
    return (text, isFirst) => {
      return steps.reduce((words, step) => words.flatMap((word, i) => step(word, isFirst && i === 0)), [text]);
    };
  },
};

/** @throws FormatError naming the field, for unknown types and bad settings */
export function createPreTokenizer(value: unknown, place: ComponentPlace): PreTokenizer {
  if (value === null || value === undefined) return (text) => [text];
  return build(preTokenizers, value, place);
}

function matching(source: string): PreTokenizer {
  const pattern = new RegExp(source, 'gu');
  return (text) => text.match(pattern) ?? [];
}

const MAX_PATTERN_CHARS = 1000;

/** What a pattern matches, and what lies between. */
function createSplit({ pattern, behavior, invert }: JsonObject, place: ComponentPlace): PreTokenizer {
  if (behavior !== 'Isolated' && behavior !== 'Removed') {
    throw fieldError(place, 'behavior', 'is not supported. Supported: Isolated, Removed.');
  }
  if (invert === true) throw fieldError(place, 'invert', 'is not supported.');
  const { String: literal, Regex: regex } = isObject(pattern) ? pattern : {};
  const source = typeof literal === 'string' ? literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&') : regex;
  if (typeof source !== 'string' || source === '' || source.length > MAX_PATTERN_CHARS) {
    const expected = `must be {"String": …} or {"Regex": …} of at most ${MAX_PATTERN_CHARS} characters.`;
    throw fieldError(place, 'pattern', expected);
  }
  let compiled: RegExp;
  try {
    compiled = translatePattern(source);
  } catch (cause) {
    throw fieldError(place, 'pattern.Regex', 'is a pattern we cannot translate.', cause);
  }
  const isKept = behavior === 'Isolated';
  return (text) => {
    const words: string[] = [];
    let end = 0;
    for (const { 0: match, index } of text.matchAll(compiled)) {
      if (match === '') continue;
      if (index > end) words.push(text.slice(end, index));
      if (isKept) words.push(match);
      end = index + match.length;
    }
    if (end < text.length) words.push(text.slice(end));
    return words;
  };
}

/** Spaces to U+2581, one in front, and a cut before each. */
function createMetaspace(config: JsonObject, place: ComponentPlace): PreTokenizer {
  const { replacement = '▁', add_prefix_space: addPrefix, split: isSplit = true } = config;
  const scheme = addPrefix === false ? 'never' : (config.prepend_scheme ?? 'always');
  if (typeof replacement !== 'string' || [...replacement].length !== 1) {
    throw fieldError(place, 'replacement', 'must be one character.');
  }
  if (scheme !== 'always' && scheme !== 'first' && scheme !== 'never') {
    throw fieldError(place, 'prepend_scheme', 'must be "always", "first" or "never".');
  }
  return (text, isFirst) => {
    let marked = text.replaceAll(' ', replacement);
    const isPrepended = scheme === 'always' || (scheme === 'first' && isFirst);
    if (isPrepended && !marked.startsWith(replacement)) marked = replacement + marked;
    return isSplit === true ? splitBefore(marked, replacement) : [marked];
  };
}

/** "a▁b▁▁" -> "a", "▁b", "▁", "▁". */
function splitBefore(text: string, mark: string): string[] {
  const words = text.split(mark);
  const first = words.shift()!;
  const rest = words.map((word) => mark + word);
  return first === '' ? rest : [first, ...rest];
}
