import { describe, expect, it } from 'vitest';
import { MOST_BYTES, MOST_CHARACTERS, readTextRows } from './rows.ts';

describe('readTextRows', () => {
  it('reads lines', () => {
    expect(readTextRows('a.TXT', '\ufeffone\r\n\n two \n').rows).toEqual([
      { row: 1, id: '', prompt: 'one' },
      { row: 3, id: '', prompt: ' two ' },
    ]);
  });

  it('reads JSON lines, by any name that a prompt has', () => {
    const lines = [{ id: 7, prompt: 'a', response: 'b' }, { text: 'c', response: null }, { instruction: 'd' }];
    expect(readTextRows('a.jsonl', lines.map((line) => JSON.stringify(line)).join('\n')).rows).toEqual([
      { row: 1, id: '7', prompt: 'a', response: 'b' },
      { row: 2, id: '', prompt: 'c' },
      { row: 3, id: '', prompt: 'd' },
    ]);
  });

  it('reads CSV with quotes and line breaks in them', () => {
    const text = 'id,prompt,response\nx,"a ""b"",\nc",\ny,d,e\n';
    expect(readTextRows('a.csv', text).rows).toEqual([
      { row: 1, id: 'x', prompt: 'a "b",\nc' },
      { row: 2, id: 'y', prompt: 'd', response: 'e' },
    ]);
  });

  it('takes as many rows as it may, and says how many were left out', () => {
    const { rows, leftOut } = readTextRows('a.txt', 'x\n'.repeat(12), 10);
    expect([rows.length, leftOut]).toEqual([10, 2]);
    expect(readTextRows('a.txt', 'x\n'.repeat(5001))).toMatchObject({ leftOut: 1 });
  });

  const secret = 'SECRET';
  it.each([
    ['a.pdf', secret, 'Expected a file that ends in .txt, .jsonl, .csv.'],
    ['jsonl', secret, 'Expected a file that ends in .txt, .jsonl, .csv.'],
    ['constructor', secret, 'Expected a file that ends in .txt, .jsonl, .csv.'],
    ['a.txt', ' \n ', 'The file has no texts.'],
    ['a.jsonl', `{"prompt": "a"}\n{"prompt": "${secret}`, 'Line 2 is not JSON.'],
    ['a.jsonl', `"${secret}"`, 'Row 1: expected a text named prompt, text, instruction.'],
    ['a.jsonl', `{"prompt": "a", "response": 7}`, 'Row 1: "response" is number, expected a text.'],
    ['a.csv', `prompt\n"${secret}`, 'The file is not CSV near line 2. Is a quote left open?'],
    ['a.csv', `other\n${secret}`, 'Row 1: expected a text named prompt, text, instruction.'],
    [
      'a.txt',
      'x'.repeat(MOST_CHARACTERS + 1),
      `Row 1: a text has ${MOST_CHARACTERS + 1} characters, expected at most ${MOST_CHARACTERS}.`,
    ],
    ['a.txt', ' '.repeat(MOST_BYTES + 1), `The file has ${MOST_BYTES + 1} bytes, expected at most ${MOST_BYTES}.`],
  ])('refuses %s in one line without its text', (name, text, message) => {
    let told = '';
    try {
      readTextRows(name, text);
    } catch (error) {
      told = (error as Error).message;
    }
    expect(told).toBe(message);
  });
});
