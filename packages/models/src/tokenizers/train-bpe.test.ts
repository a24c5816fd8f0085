import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { readTexts, readTokenizerFiles } from '../../test/tokenizer-fixtures.node.ts';
import { createJsonTokenizer } from './json/tokenizer-json.ts';
import { trainBpe } from './train-bpe.ts';

const { texts } = readTexts();
const bytesOf = (json: object) => new TextEncoder().encode(JSON.stringify(json));
const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as { model: { merges: string[] } };

/** As make_tokenizers.py cuts them: Python's `splitlines`, of which those with only white space are left out. */
function linesOf(text: string): string[] {
  const start = [...text.replaceAll('\0', '')].slice(0, 2000).join('').replaceAll('\r\n', '\n');
  const lines = [...'\r\v\f\x1c\x1d\x1e\x85\u2028\u2029']
    .reduce((some, end) => some.replaceAll(end, '\n'), start)
    .split('\n');
  return lines.filter((line) => /\P{White_Space}/u.test(line.replaceAll('\x1f', ' ')));
}

describe('a trained tokenizer', () => {
  const json = trainBpe(texts, { vocabSize: 600 });
  const tokenizer = createJsonTokenizer(bytesOf(json), 'tokenizer.json');

  it('gives any text back from its ids, special tokens in it included', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...texts), fc.constant('[CLS] [PAD][MASK]'));
    fc.assert(
      fc.property(text, (some) => {
        const { ids } = tokenizer.encode(some);
        expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(some);
      }),
    );
  });

  it('has the size asked for, and shorter texts the more it has seen of them', () => {
    expect(tokenizer.vocabSize).toBe(600);
    expect(tokenizer.special).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    expect(tokenizer.tokenize('the people').length).toBeLessThan(tokenizer.tokenize('qzx vkj pqq').length);
  });
});

it('merges the most frequent pair first, of equal ones that of the smaller ids', () => {
  const merges = (text: string, vocabSize = 263) =>
    (trainBpe([text], { vocabSize }).model as { merges: unknown }).merges;
  expect(merges('xyxyxy xy', 262)).toEqual([['x', 'y']]);
  expect(merges('cdcd abab', 263)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  expect(merges('ab', 263)).toEqual([]); // once is not frequent
});

it('learns what the tokenizers library learns, merge by merge', () => {
  const lines = texts.flatMap(linesOf);
  const theirs = parse(readTokenizerFiles('roberta').get('tokenizer.json')!).model.merges;
  const { merges } = trainBpe(lines, { vocabSize: 5 + 256 + theirs.length }).model as { merges: string[][] };
  expect(merges.map((pair) => pair.join(' '))).toEqual(theirs);
});

it('is the tokenizer whose ids transformers recorded', () => {
  const recorded = parse(readTokenizerFiles('trained').get('tokenizer.json')!);
  expect(trainBpe(texts, { vocabSize: 1000 })).toEqual(recorded);
});

it.each([
  [{ vocabSize: 260 }, 'whole number from 261'],
  [{ vocabSize: 300.5 }, 'got 300.5'],
  [{ vocabSize: 300, minFrequency: 0 }, 'at least 1'],
])('refuses %j', (options, problem) => {
  expect(() => trainBpe([], options)).toThrow(ConfigError);
  expect(() => trainBpe([], options)).toThrow(problem);
});
