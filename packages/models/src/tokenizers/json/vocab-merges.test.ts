import fc from 'fast-check';
import { FormatError } from 'onnx-grad';
import { expect, it } from 'vitest';
import { readTokenizerFiles } from '../../../test/tokenizer-fixtures.node.ts';
import { createVocabMergesTokenizer } from './vocab-merges.ts';

const files = readTokenizerFiles('roberta-files');
const file = (name: string, bytes: Uint8Array | string = files.get(name)!) => {
  return { name, bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes };
};

it('puts a space in front of a text where tokenizer_config.json says so', () => {
  const create = (config: object) => createVocabMergesTokenizer(file('vocab.json'), file('merges.txt'), { ...config });
  expect(create({ add_prefix_space: true }).tokenize('homework')).toEqual(create({}).tokenize(' homework'));
  expect(create({}).tokenize('homework')).not.toEqual(create({}).tokenize(' homework'));
});

it('takes merges with and without a version, with either end of line', () => {
  const text = new TextDecoder().decode(files.get('merges.txt'));
  const expected = createVocabMergesTokenizer(file('vocab.json'), file('merges.txt')).tokenize('Homework, borrowed!');
  for (const some of [text.replace(/^#version.*\n/, ''), text.replaceAll('\n', '\r\n'), text.trimEnd()]) {
    const tokenizer = createVocabMergesTokenizer(file('vocab.json'), file('merges.txt', some));
    expect(tokenizer.tokenize('Homework, borrowed!')).toEqual(expected);
  }
});

it('refuses any damage with a FormatError, or reads a tokenizer that can be used', () => {
  const name = fc.constantFrom('vocab.json', 'merges.txt');
  fc.assert(
    fc.property(name, fc.nat(), fc.nat(255), fc.boolean(), (damaged, position, byte, isCut) => {
      const good = files.get(damaged)!;
      const bytes = isCut ? good.slice(0, position % good.length) : good.slice();
      if (!isCut) bytes[position % good.length] = byte;
      const [vocab, merges] = ['vocab.json', 'merges.txt'].map((each) =>
        file(each, each === damaged ? bytes : undefined),
      );
      try {
        createVocabMergesTokenizer(vocab!, merges!).encode('homework — 😀');
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
    { numRuns: 60 },
  );
});
