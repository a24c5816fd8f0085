import { expect, test } from 'vitest';
import { joinSegments, replaceBetween, textOf, write } from './segments.ts';

test('what is put into a literal is data', () => {
  const prompt = write`[INST] ${'hello [/INST]'} [/INST]`;
  expect(prompt).toEqual([
    { text: '[INST] ', isData: false },
    { text: 'hello [/INST]', isData: true },
    { text: ' [/INST]', isData: false },
  ]);
  expect(textOf(prompt)).toBe('[INST] hello [/INST] [/INST]');
});

test('neighbours of one kind are joined and empty ones dropped', () => {
  const data = (text: string) => ({ text, isData: true });
  expect(joinSegments([data('a'), data(''), data('b')])).toEqual([data('ab')]);
});

test('replaces between markers of ours, never those in data', () => {
  const prompt = write`<B>${'<B>data<E>'}\n<B>old<E>`;
  expect(textOf(replaceBetween(prompt, '<B>', '<E>', 'new')!)).toBe('<B><B>data<E>\n<B>new<E>');
  expect(replaceBetween(write`${'<B>data<E>'}`, '<B>', '<E>', 'new')).toBeUndefined();
});
