import { expect, it } from 'vitest';
import { readResponse } from './response.ts';

it('a response is the whole turn, the prefix included', () => {
  expect(readResponse({ text: ' take a duck.\n', finish: 'stop' }, 'Sure,')).toEqual({
    text: 'Sure, take a duck.',
    reason: null,
    isRefusal: false,
    isCut: false,
  });
});

it('a refusal is marked, whatever was asked for, and one that is cut off is kept', () => {
  expect(readResponse({ text: " I'm sorry, but I can't help", finish: 'length' }, 'Well:')).toMatchObject({
    isRefusal: true,
    isCut: true,
    reason: null,
  });
});

it.each([
  [{ text: ' \n', finish: 'stop' } as const, 'empty'],
  [{ text: 'Some', finish: 'filter' } as const, 'filtered'],
  [{ text: '', finish: 'too-long' } as const, 'prompt-too-long'],
])('%j is none: %s', (written, reason) => {
  expect(readResponse(written, 'Sure,').reason).toBe(reason);
});
