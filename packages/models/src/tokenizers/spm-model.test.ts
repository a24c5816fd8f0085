import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import {
  ModelProtoSchema,
  ModelProto_SentencePiece_Type as Type,
} from '../../test/generated/sentencepiece_model_pb.js';
import { readTokenizerFiles } from '../../test/tokenizer-fixtures.node.ts';
import { parseSpmModel } from './spm-model.ts';
import { createSpmTokenizer, createXlmRobertaTokenizer } from './spm-tokenizer.ts';

type PieceInit = { piece?: string; score?: number; type?: Type };
const special: PieceInit[] = [
  { piece: '[PAD]', type: Type.CONTROL },
  { piece: '[CLS]', type: Type.CONTROL },
  { piece: '[SEP]', type: Type.CONTROL },
  { piece: '[UNK]', type: Type.UNKNOWN },
];
const word: PieceInit = { piece: '▁a', score: -1 };

function modelOf(pieces: PieceInit[], trainerSpec: object = {}, normalizerSpec: object = {}): Uint8Array {
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { pieces, trainerSpec, normalizerSpec }));
}

function charsmap(units: number[], text: string): Uint8Array {
  const trie = new Uint32Array(256);
  trie.set(units);
  const size = Uint32Array.of(trie.byteLength);
  return new Uint8Array(Buffer.concat([new Uint8Array(size.buffer), new Uint8Array(trie.buffer), Buffer.from(text)]));
}
const withMap = (map: Uint8Array) => modelOf([...special, word], {}, { precompiledCharsmap: map });

it('reads pieces, with the defaults of the schema', () => {
  const { pieces, unkId, byteFallback, normalizer } = parseSpmModel(modelOf([...special, word]), 'spm.model');
  expect(pieces[4]).toEqual({ text: '▁a', score: -1, kind: 'normal' });
  expect([unkId, byteFallback, normalizer.addDummyPrefix, normalizer.charsmap]).toEqual([3, false, true, undefined]);
});

it('skips a field of another wire type, as the file of DeBERTa-v3 needs', () => {
  // trainer_spec { 24: "x" }, where the schema has a bool
  const spec = Uint8Array.of(0x12, 4, 0xc2, 0x01, 1, 0x78);
  const bytes = new Uint8Array(Buffer.concat([modelOf([...special, word]), spec]));
  expect(parseSpmModel(bytes, 'spm.model').normalizer.treatWhitespaceAsSuffix).toBe(false);
});

describe('refuses', () => {
  it.each([
    ['no bytes', new Uint8Array(), 'trainer_spec'],
    ['bytes that are not protobuf', Uint8Array.of(0xff, 0xff, 0xff), 'protobuf'],
    ['a file that is cut off', modelOf([...special, word]).subarray(0, 20), 'protobuf'],
    ['a model of another kind', modelOf([...special, word], { modelType: 2 }), 'is BPE. Supported: UNIGRAM'],
    ['no pieces', modelOf([]), 'pieces'],
    ['an empty piece', modelOf([...special, { piece: '' }]), 'pieces[4]'],
    ['a piece with a zero character', modelOf([...special, { piece: 'a\0' }]), 'pieces[4]'],
    ['an endless piece', modelOf([...special, { piece: 'a'.repeat(9000) }]), 'pieces[4]'],
    ['a repeated piece', modelOf([...special, word, word]), 'pieces[5] repeats the piece "▁a"'],
    ['a score that is not a number', modelOf([...special, { piece: 'a', score: NaN }]), 'not finite'],
    ['two unknown pieces', modelOf([...special, { piece: 'u', type: Type.UNKNOWN }]), 'second piece of type UNKNOWN'],
    ['no unknown piece', modelOf([word]), 'no piece of type UNKNOWN'],
    ['byte pieces without byte fallback', modelOf([...special, { piece: '<0x00>', type: Type.BYTE }]), 'pieces[4]'],
    ['byte fallback without its pieces', modelOf([...special, word], { byteFallback: true }), '256 byte pieces, got 0'],
    ['a character map that is too short', withMap(Uint8Array.of(1, 2)), 'precompiled_charsmap'],
    ['a trie beyond the map', withMap(Uint8Array.of(0, 4, 0, 0, 0)), 'trie of 1024 bytes'],
    ['a map without its last zero', withMap(charsmap([1 << 10], 'abc')), 'end with a zero byte'],
    ['a trie that leads outside', withMap(charsmap([0x7fffffff & ~0x3ff], '\0')), 'points outside itself'],
    ['a value that leads outside', withMap(charsmap([1 << 10, 0x80000009], '\0')), 'points outside itself'],
    ['a replacement of thousands of bytes', withMap(charsmap([1 << 10], `${'a'.repeat(5000)}\0`)), '1024 bytes'],
  ])('%s', (_, bytes, problem) => {
    expect(() => parseSpmModel(bytes, 'spm.model')).toThrow(FormatError);
    expect(() => parseSpmModel(bytes, 'spm.model')).toThrow(problem);
  });

  it('a model without the special tokens of its configuration', () => {
    const bytes = modelOf([...special, word]);
    expect(() => createSpmTokenizer(bytes, 'spm.model', { cls_token: '<s>' })).toThrow('no "<s>"');
    expect(() => createSpmTokenizer(bytes, 'spm.model', { added_tokens_decoder: [] })).toThrow(FormatError);
  });

  it("a model that does not begin as XLM-RoBERTa's", () => {
    const create = () => createXlmRobertaTokenizer(modelOf([...special, word]), 'sentencepiece.bpe.model');
    expect(create).toThrow(FormatError);
    expect(create).toThrow('pieces begin with "[PAD]", "[CLS]", "[SEP]". Expected XLM-RoBERTa\'s <unk>, <s>, </s>');
  });

  it.each([
    ['sentencepiece-plain', 'spm.model', createSpmTokenizer],
    ['xlm-roberta-spm', 'sentencepiece.bpe.model', createXlmRobertaTokenizer],
  ] as const)('any damage to %s with a FormatError, or reads a model that can be used', (name, file, createFrom) => {
    const good = readTokenizerFiles(name).get(file)!.subarray(0);
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(good.length), (changes, length) => {
        const bytes = good.slice(0, length % 3 === 0 ? length : good.length);
        for (const [position, byte] of changes) bytes[position % Math.max(1, bytes.length)] = byte;
        try {
          createFrom(bytes, file).encode('homework — 😀');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 150 },
    );
  });
});

it('gives [MASK] the id after the last piece, and keeps names that the configuration changes', () => {
  const tokenizer = createSpmTokenizer(modelOf([...special, word]), 'spm.model');
  expect(tokenizer.special).toEqual({ pad: 0, cls: 1, sep: 2, unk: 3, mask: 5 });
  expect(tokenizer.vocabSize).toBe(6);
  const renamed = createSpmTokenizer(modelOf([...special, word]), 'spm.model', { mask_token: { content: '▁a' } });
  expect(renamed.special.mask).toBe(4);
});

it('never turns text into a control token, even where a piece of text is configured as one', () => {
  const config = { mask_token: { content: '▁a' } };
  const bytes = modelOf([...special, word]);
  expect(createSpmTokenizer(bytes, 'spm.model').tokenize('a')).toEqual([4]);
  expect(createSpmTokenizer(bytes, 'spm.model', config).tokenize('a')).toEqual([3]); // unknown
});

it("numbers XLM-RoBERTa's pieces as fairseq: four special tokens, and the mask at the end", () => {
  const pieces: PieceInit[] = [
    { piece: '<unk>', type: Type.UNKNOWN },
    { piece: '<s>', type: Type.CONTROL },
    { piece: '</s>', type: Type.CONTROL },
    word,
  ];
  const tokenizer = createXlmRobertaTokenizer(modelOf(pieces), 'sentencepiece.bpe.model');
  expect(tokenizer.special).toEqual({ cls: 0, pad: 1, sep: 2, unk: 3, mask: 5 });
  expect(tokenizer.encode('a', 'b').ids).toEqual([0, 4, 2, 2, 3, 2]);
  expect(tokenizer.encode('a', 'b').typeIds).toEqual([0, 0, 0, 0, 0, 0]);
});
