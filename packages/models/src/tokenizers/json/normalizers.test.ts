import { expect, it } from 'vitest';
import { createNormalizer } from './normalizers.ts';
import { createPreTokenizer } from './pre-tokenizers.ts';

const place = { file: 'tokenizer.json', field: 'normalizer' };
const normalize = (config: object, text: string) => createNormalizer(config, place)(text);
const words = (config: object, text: string) => createPreTokenizer(config, place)(text, true);

const bert = {
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: null,
  lowercase: true,
};

it.each([
  ['ΟΔΟΣ', 'οδοσ'], // no final sigma
  ['İstanbul', 'istanbul'],
  ['a\u0000\ufffd\u200b\tb\u3000c', 'a b c'],
  ['x𠀀y', 'x 𠀀 y'], // ideographs beyond U+FFFF
  ['e\u0301\u0489', 'e\u0489'], // U+0489 is an enclosing mark, not an accent
  ['\u0aff', '\u0aff'], // an accent younger than the reference's tables stays
])('BertNormalizer makes of %j what the tokenizers library does', (text, expected) => {
  expect(normalize(bert, text)).toBe(expected);
});

it('Strip takes Unicode white space off the ends: U+0085, and not U+FEFF', () => {
  const config = { type: 'Strip', strip_left: true, strip_right: true };
  expect(normalize(config, '\u0085 a b\u3000')).toBe('a b');
  expect(normalize(config, '\ufeffa')).toBe('\ufeffa');
});

it('known differences: the engine decomposes, folds and strips characters younger than the reference tables', () => {
  // tokenizers 0.23.3 leaves each of these as it is
  expect(normalize({ type: 'NFD' }, '\u{11938}')).not.toBe('\u{11938}'); // 21 characters, Unicode 13 to 16
  expect(normalize({ type: 'NFKC' }, '\u32ff')).not.toBe('\u32ff'); // 171 characters, Unicode 12.1 to 16
  expect(normalize({ type: 'StripAccents' }, 'a\u0aff')).toBe('a'); // 450 marks, Unicode 7 and later
});

it('Replace takes its content literally, for strings and patterns', () => {
  expect(normalize({ type: 'Replace', pattern: { String: '.' }, content: '$&' }, 'a.b')).toBe('a$&b');
  expect(normalize({ type: 'Replace', pattern: { Regex: ' {2,}' }, content: '$&' }, 'a   b')).toBe('a$&b');
});

it('Prepend leaves an empty text empty', () => {
  expect(normalize({ type: 'Prepend', prepend: '▁' }, '')).toBe('');
  expect(normalize({ type: 'Prepend', prepend: '▁' }, 'a')).toBe('▁a');
});

it('Metaspace marks the beginning of each word and cuts there', () => {
  expect(words({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' }, 'a b  c')).toEqual([
    '▁a',
    '▁b',
    '▁',
    '▁c',
  ]);
  expect(words({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' }, 'a b')).toEqual(['a', '▁b']);
  expect(words({ type: 'Metaspace', replacement: '▁', split: false }, 'a b')).toEqual(['▁a▁b']);
});

it('ByteLevel writes bytes as characters, with a space in front of what it is given when asked', () => {
  expect(words({ type: 'ByteLevel', add_prefix_space: false }, 'a né')).toEqual(['a', 'ĠnÃ©']);
  expect(words({ type: 'ByteLevel', add_prefix_space: true }, 'a b')).toEqual(['Ġa', 'Ġb']);
  expect(words({ type: 'ByteLevel' }, ' a')).toEqual(['Ġa']);
  expect(words({ type: 'ByteLevel', add_prefix_space: false, use_regex: false }, 'a, b')).toEqual(['a,Ġb']);
});

it('a Sequence gives "first" to the first word only', () => {
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' };
  expect(words({ type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] }, 'a b')).toEqual([
    '▁a',
    'b',
  ]);
});

it('punctuation stands alone, and follows the reference where Unicode has grown', () => {
  expect(words({ type: 'BertPreTokenizer' }, "don't!! $5")).toEqual(['don', "'", 't', '!', '!', '$', '5']);
  expect(words({ type: 'Punctuation' }, 'a,,b c')).toEqual(['a', ',', ',', 'b c']);
  expect(words({ type: 'BertPreTokenizer' }, 'a\u2e52b')).toEqual(['a\u2e52b']); // punctuation since Unicode 14
  expect(words({ type: 'Whitespace' }, 'né-à ½')).toEqual(['né', '-', 'à', '½']);
});
