import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { metadataOf, readMetadata } from './metadata.ts';
import type { GgufValue } from './types.ts';
import { describeVocabulary, readVocabulary, type Vocabulary } from './vocabulary.ts';

const byteLevel: Vocabulary = {
  model: 'gpt2',
  tokens: ['a', 'b', 'ab', '<end>', ''],
  kinds: ['normal', 'normal', 'normal', 'control', 'unused'],
  roles: { eos: 3 },
  addsBos: false,
  addsEos: true,
  chatTemplate: '{{ messages }}',
  merges: [['a', 'b']],
  preTokenizer: 'qwen2',
};
const sentencePiece: Vocabulary = {
  model: 'llama',
  tokens: ['<unk>', '<s>', '</s>', '▁'],
  kinds: ['unknown', 'control', 'control', 'normal'],
  roles: { unk: 0, bos: 1, eos: 2 },
  addsBos: true,
  addsEos: false,
  chatTemplate: undefined,
  scores: [0, 0, 0, -1],
  addsSpace: false,
};

function read(metadata: ReadonlyMap<string, GgufValue>): Vocabulary {
  return readVocabulary(readMetadata(metadata, 'm.gguf'));
}

/** A vocabulary's metadata with one entry changed, or left out. */
function changed(vocabulary: Vocabulary, name: string, value: GgufValue | undefined): Map<string, GgufValue> {
  const metadata = describeVocabulary(vocabulary);
  if (value === undefined) metadata.delete(`tokenizer.ggml.${name}`);
  else metadata.set(`tokenizer.ggml.${name}`, value);
  return metadata;
}

it.each([byteLevel, sentencePiece])('comes back from metadata as it was: $model', (vocabulary) => {
  expect(read(describeVocabulary(vocabulary))).toEqual(vocabulary);
});

describe("llama.cpp's defaults where nothing is stated:", () => {
  it.each([
    ['SentencePiece begins texts with a space', sentencePiece, 'add_space_prefix', { addsSpace: true }],
    ['SentencePiece begins texts with BOS', sentencePiece, 'add_bos_token', { addsBos: true }],
    ['BOS of SentencePiece is 1', sentencePiece, 'bos_token_id', { roles: { unk: 0, bos: 1, eos: 2 } }],
    ['tokens without a kind are words', byteLevel, 'token_type', { kinds: new Array(5).fill('normal') }],
    ['words are cut in the way of files from before they said how', byteLevel, 'pre', { preTokenizer: 'default' }],
    ['byte-level texts end without EOS', byteLevel, 'add_eos_token', { addsEos: false }],
  ] as [string, Vocabulary, string, object][])('%s', (_, vocabulary, name, expected) => {
    expect(read(changed(vocabulary, name, undefined))).toMatchObject(expected);
  });

  it('Llama 3 begins texts with BOS', () => {
    const llama3 = changed({ ...byteLevel, roles: { bos: 3, eos: 3 } }, 'pre', metadataOf.string('llama3'));
    llama3.delete('tokenizer.ggml.add_bos_token');
    expect(read(llama3)).toMatchObject({ preTokenizer: 'llama-bpe', addsBos: true });
  });

  it('an id of -1, as old converters wrote it, is none', () => {
    expect(read(changed(sentencePiece, 'padding_token_id', metadataOf.uint32(2 ** 32 - 1))).roles.pad).toBeUndefined();
  });
});

describe('refuses', () => {
  it.each([
    ['another kind', byteLevel, 'model', metadataOf.string('bert'), 'expected "gpt2" or "llama", got "bert"'],
    ['no kind', byteLevel, 'model', undefined, 'expected a string, got nothing'],
    ['an unknown way to cut words', byteLevel, 'pre', metadataOf.string('tekken'), 'expected one of gpt-2, phi-2'],
    ['no tokens', byteLevel, 'tokens', undefined, 'expected a list of strings, got nothing'],
    ['tokens that are numbers', byteLevel, 'tokens', metadataOf.int32s([1]), 'expected a list of strings, got 1 int32'],
    ['an empty vocabulary', byteLevel, 'tokens', metadataOf.strings([]), 'expected 1 to 4000000 tokens'],
    ['a token that stands twice', byteLevel, 'tokens', metadataOf.strings(['a', 'b', 'a']), 'ids 0 and 2 are both "a"'],
    [
      'a token beyond any text',
      byteLevel,
      'tokens',
      metadataOf.strings(['x'.repeat(1001)]),
      'id 0 has 1001 characters',
    ],
    ['too few kinds', byteLevel, 'token_type', metadataOf.int32s([1]), 'expected 5 numbers, one a token, got 1 int32'],
    ['no merges', byteLevel, 'merges', undefined, 'expected a list of strings, got nothing'],
    ['a merge of one', byteLevel, 'merges', metadataOf.strings(['ab']), 'entry 0 must join two tokens'],
    ['a merge of no tokens', byteLevel, 'merges', metadataOf.strings(['a b', 'b a']), 'entry 1 must join two tokens'],
    ['an id beyond the tokens', byteLevel, 'eos_token_id', metadataOf.uint32(5), 'expected an id of the 5 tokens'],
    ['an id that is text', byteLevel, 'eos_token_id', metadataOf.string('3'), 'expected a number'],
    ['an end without its token', byteLevel, 'eos_token_id', undefined, 'expected an id, since it is added'],
    ['too few scores', sentencePiece, 'scores', metadataOf.float32s([1]), 'expected 4 finite numbers, one a token'],
    ['a score that is none', sentencePiece, 'scores', metadataOf.float32s([0, 0, 0, Number.NaN]), 'expected 4 finite'],
    ['a space that is neither', sentencePiece, 'add_space_prefix', metadataOf.uint32(1), 'expected true or false'],
  ] as [string, Vocabulary, string, GgufValue | undefined, string][])('%s', (_, vocabulary, name, value, problem) => {
    const metadata = changed(vocabulary, name, value);
    expect(() => read(metadata)).toThrow(FormatError);
    expect(() => read(metadata)).toThrow(problem);
  });

  it('without printing texts of others at length', () => {
    const metadata = changed(byteLevel, 'add_eos_token', metadataOf.string('private '.repeat(100)));
    expect(() => read(metadata)).toThrow('got a string of 800 characters');
  });
});
