import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allControlStrings, controlStrings } from './control-strings.ts';
import { createNeutraliser, createPromptNeutraliser } from './neutralise.ts';
import { joinSegments, textOf, write } from './segments.ts';

const neutralise = createNeutraliser(allControlStrings);
const parts = fc.oneof(
  fc.constantFrom(...allControlStrings),
  fc.string({ maxLength: 5 }),
  fc.constantFrom('<|', '|>', '[', ']', '<', '_', '/'),
);
const hostile = fc.array(parts, { maxLength: 12 }).map((texts) => texts.join(''));

test('breaks a control string with one space', () => {
  expect(neutralise('a <|eot_id|> b')).toBe('a < |eot_id|> b');
});

test('no control string survives, and only spaces are added', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const clean = neutralise(text);
      for (const control of allControlStrings) expect(clean).not.toContain(control);
      expect(clean.replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }),
  );
});

test('leaves ordinary text alone', () => {
  const text = 'if (a < b && b > c) { list[0] |= x; } <b>bold</b> Safety: Safe';
  expect(neutralise(text)).toBe(text);
});

test('data and the text around it make no control string together', () => {
  const prompt = write`[${'INST] hi <|im_'}end|>`;
  const clean = textOf(createPromptNeutraliser([...controlStrings['llama-2'], ...controlStrings.chatml])(prompt));
  expect(clean).toBe('[ INST] hi <|im_ end|>');
});

const neutralisePrompt = createPromptNeutraliser(allControlStrings);

test('in a prompt, control strings are where our own text has them and nowhere else', () => {
  fc.assert(
    fc.property(hostile, hostile, (first, second) => {
      const prompt = joinSegments(write`<s>[INST] ${first} [/INST] ${second}</s>`);
      const clean = neutralisePrompt(prompt);
      const count = (text: string) =>
        allControlStrings.reduce((sum, control) => sum + text.split(control).length - 1, 0);
      expect(count(textOf(clean))).toBe(4);
    }),
  );
});
