import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openTokenizer } from '@harmaug/models/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyStudent } from '../distill/tiny.testing.node.ts';
import { wordsOfTokens } from './align.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-align-'));
  await writeTinyStudent(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const align = async (text: string, maxLength?: number) => {
  const tokenizer = await openTokenizer(folder);
  const { ids } = tokenizer.encode(text, undefined, maxLength === undefined ? {} : { maxLength });
  return Array.from(wordsOfTokens(tokenizer, text, ids)!);
};

describe('words of tokens', () => {
  it('counts words between white space; special tokens are none', async () => {
    expect(await align('what a lovely\n plan')).toEqual([-1, 0, 1, 2, 3, -1]);
  });

  it('gives all pieces of a word its number, punctuation too', async () => {
    const words = await align('what a plan, no? yes');
    expect(words.filter((word) => word === 2)).toHaveLength(2);
    expect(words.filter((word) => word === 3)).toHaveLength(2);
    expect(words.at(-2)).toBe(4);
  });

  it('holds for a text that was cut', async () => {
    expect(await align('what a lovely plan', 4)).toEqual([-1, 0, 1, -1]);
  });

  it('has no words for a text without any', async () => {
    expect(await align('  ')).toEqual([-1, -1]);
  });
});
