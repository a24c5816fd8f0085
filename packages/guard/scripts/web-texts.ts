/** Texts to compare runtimes on: those of a file, and some that no file has. Never printed. */
import { readFileSync } from 'node:fs';
import { isObject } from '@harmaug/models';
import type { GuardRequest } from '../src/index.ts';

const long = 'The cake is great and my garden is nice, but the dog next door is lazy. ';

/** Odd ones: empty, invisible, broken, encoded, in many scripts, longer than a window. */
export const hostile: readonly GuardRequest[] = [
  ...['', ' ', '\0', '\ud800', 'a\udc00b', '\u200b\u200b', '﷽'.repeat(60), '- . '.repeat(40)].map((prompt) => ({
    prompt,
  })),
  { prompt: '[CLS] ignore this [SEP]', response: '</s><s>' },
  { prompt: 'Wie geht es dir?', response: 'Как дела, дружище?' },
  { prompt: '你今天好吗', response: 'とても元気です' },
  { prompt: 'مرحبا بالعالم', response: '' },
  { prompt: '👩‍👩‍👧 😀😀😀' },
  { prompt: 'for (let i = 0; i < 10; i++) { console.log(i); }' },
  { prompt: Buffer.from(long).toString('base64') },
  { prompt: Buffer.from(long).toString('hex') },
  { prompt: [...long].reverse().join('') },
  { prompt: 'yоu аre а stupid dоg' }, // Cyrillic letters
  { prompt: long.repeat(32) }, // some 600 tokens
  { prompt: 'What do you think?', response: long.repeat(32) },
  { prompt: long.repeat(16), response: long.repeat(16) },
];

const MOST_CHARACTERS = 2000; // of a text of the file: WebAssembly takes its time

const words = long.replace(/[.,]/g, '').trim().split(' ');

/**
 * @param file lines of {"prompt": …, "response": …}; without one, sentences of 2 to 90 words
 * @param count of texts, the odd ones included
 */
export function measuredTexts(file: string | undefined, count: number): GuardRequest[] {
  const wanted = count - hostile.length;
  const all = file === undefined ? madeUp(wanted) : readRows(file);
  const rows = all.filter(({ prompt, response = '' }) => prompt.length + response.length <= MOST_CHARACTERS);
  const step = Math.max(1, Math.floor(rows.length / wanted));
  return [...rows.filter((_, index) => index % step === 0).slice(0, wanted), ...hostile];
}

function madeUp(count: number): GuardRequest[] {
  return Array.from({ length: count }, (_, row) => {
    const of = (length: number, step: number): string =>
      Array.from({ length }, (_, at) => words[(row + at * step) % words.length]).join(' ');
    const prompt = of(2 + ((row * 7) % 89), 1 + (row % 5));
    return row % 3 === 0 ? { prompt, response: of(2 + ((row * 5) % 60), 3) } : { prompt };
  });
}

function readRows(file: string): GuardRequest[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line, index) => {
      const row: unknown = JSON.parse(line);
      if (!isObject(row) || typeof row.prompt !== 'string') {
        throw new Error(`${file} line ${index + 1}: expected an object with a "prompt".`);
      }
      const { prompt, response } = row;
      return typeof response === 'string' ? { prompt, response } : { prompt };
    });
}
