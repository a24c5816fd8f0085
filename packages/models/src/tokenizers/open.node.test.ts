import { join } from 'node:path';
import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { fixtureKinds, fixtureNames, readTokenizerFiles, temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { openTokenizer } from './open.node.ts';

it.each(fixtureNames)('opens a folder with the %s tokenizer', async (name) => {
  const tokenizer = await openTokenizer(await temporaryFolder(readTokenizerFiles(name)));
  expect(tokenizer.kind).toBe(fixtureKinds[name]);
  expect(tokenizer.padId).toBe(tokenizer.special.pad);
  expect(tokenizer.tokenize('homework').length).toBeGreaterThan(0);
});

it('opens a BERT folder that has vocab.txt only, with the same ids as its tokenizer.json', async () => {
  const files = readTokenizerFiles('wordpiece');
  const json = JSON.parse(new TextDecoder().decode(files.get('tokenizer.json'))) as { model: { vocab: object } };
  const lines = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
  const vocab = `${lines.map(([token]) => token).join('\n')}\n`;
  const expected = await openTokenizer(await temporaryFolder(files));
  const tokenizer = await openTokenizer(await temporaryFolder([['vocab.txt', vocab]]));
  for (const text of ['Homework, borrowed!', 'naïve 東京', '[CLS]']) {
    expect(tokenizer.encode(text, text)).toEqual(expected.encode(text, text));
  }
  const cased = await openTokenizer(
    await temporaryFolder([
      ['vocab.txt', vocab],
      ['tokenizer_config.json', '{"do_lower_case":false}'],
    ]),
  );
  expect(cased.tokenize('HOMEWORK')).not.toEqual(tokenizer.tokenize('HOMEWORK'));
});

it('prefers tokenizer.json to the other files', async () => {
  const folder = await temporaryFolder([
    ...readTokenizerFiles('wordpiece'),
    ['spm.model', 'junk'],
    ['vocab.txt', 'junk'],
  ]);
  expect((await openTokenizer(folder)).kind).toBe('wordpiece');
});

describe('refuses', () => {
  it.each([
    ['an empty folder', [], 'Found: no tokenizer file'],
    ['merges without their vocabulary', [['merges.txt', '']], 'Found: merges.txt'],
    [
      'a vocabulary that is not of RoBERTa',
      [
        ['vocab.json', '{}'],
        ['merges.txt', ''],
      ],
      'vocab.json has no <s>',
    ],
    [
      'a merge of one token',
      [
        ['vocab.json', '{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4}'],
        ['merges.txt', '#version: 0.2\nab\n'],
      ],
      'merges.txt line 2 must be two tokens',
    ],
    [
      'a merge of tokens that are not there',
      [
        ['vocab.json', '{"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4}'],
        ['merges.txt', 'a b\n'],
      ],
      'model.merges[0] must join two tokens of the vocabulary',
    ],
    ['a vocabulary without special tokens', [['vocab.txt', 'a\nb\n']], 'vocab.txt has no [PAD]'],
    ['a vocabulary that is not text', [['vocab.txt', Uint8Array.of(0xff)]], 'not UTF-8'],
    [
      'a damaged configuration',
      [
        ['vocab.txt', ''],
        ['tokenizer_config.json', '['],
      ],
      'tokenizer_config.json is not valid',
    ],
  ] as [string, [string, string | Uint8Array][], string][])('%s', async (_, files, problem) => {
    const folder = await temporaryFolder(files);
    await expect(openTokenizer(folder)).rejects.toThrow(FormatError);
    await expect(openTokenizer(folder)).rejects.toThrow(problem);
  });

  it('a folder that is not there', async () => {
    await expect(openTokenizer(join(await temporaryFolder(), 'none'))).rejects.toThrow('does not exist');
  });
});
