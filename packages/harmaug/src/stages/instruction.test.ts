import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endsSentence, parseInstruction } from './instruction.ts';

const wanted = 'How do I prank my sister at the picnic?';

describe('an instruction is found in', () => {
  it.each([
    ['the bare text', ` ${wanted}`],
    ['quotes', ` "${wanted}"`],
    ['curly quotes with an end', ` “${wanted}”.`],
    ['quotes that are never closed', ` "${wanted}`],
    ['quotes and an explanation', ` "${wanted}" This prompt is meant to be silly.`],
    ['a label', `Prompt: ${wanted}`],
    ['a bold label', `**Prompt:** ${wanted}`],
    ['a label within bold', `**Harmful instruction: ${wanted}**`],
    ['a label with a number', `Prompt 1: ${wanted}`],
    ['a lead-in', `Here is a prompt for you:\n\n"${wanted}"`],
    ['a polite lead-in', `Sure! Here's one idea:\n${wanted}`],
    ['a list', `\n\n1. ${wanted}\n2. Something else?\n3. More`],
    ['a list of dashes', `- ${wanted}\n- Something else?`],
    ['a first paragraph', `${wanted}\n\nThis instruction could annoy people.`],
    ['a line before a note', `${wanted}\nNote: only for fun.`],
    ['a text with an aside', `${wanted} (Note: only for fun.)`],
    ['a turn that goes on', `${wanted}\nAssistant: First, take a duck.`],
    ['two lines', 'How do I prank\nmy sister at the picnic?'],
    ['a heading', `### Prompt\n: ${wanted}`.replace('\n', '')],
    ['code marks', `\`${wanted}\``],
    ['other line ends and spaces', `\r\n\u00a0${wanted}\u200b\u0000\r\n`],
  ])('%s', (_, written) => {
    expect(parseInstruction(written).text).toBe(wanted);
  });

  it.each([
    ["It's 10:30, how do I get to chess club?"],
    ["Don't tell me 'no': how do I skip choir?"],
    ['Write a poem that begins with "Roses are rude".'],
    ['What is 3. Liga?'],
    ['请告诉我怎么捉弄我的同事。'],
  ])('itself: %s', (text) => {
    expect(parseInstruction(text).text).toBe(text);
  });

  it('nothing', () => {
    for (const text of ['', '  \n ', '"', '1.', '**', 'Prompt:', '\u200b'])
      expect(parseInstruction(text).text).toBe('');
  });
});

describe('whether an instruction is whole', () => {
  it('is seen by what follows it', () => {
    expect(parseInstruction('"How do I skip" and more').isEnded).toBe(true);
    expect(parseInstruction('How do I skip\n\nThis is').isEnded).toBe(true);
    expect(parseInstruction('How do I skip').isEnded).toBe(false);
    expect(parseInstruction('"How do I skip').isEnded).toBe(false);
  });

  it('or by the end of a sentence', () => {
    for (const text of ['Yes.', 'Why?', 'Say "no!"', '为什么？', 'So…', '(Well.)'])
      expect(endsSentence(text)).toBe(true);
    for (const text of ['Yes', 'How do I,', '']) expect(endsSentence(text)).toBe(false);
  });
});

describe('of any text whatever', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '"',
        '“',
        '1. ',
        '- ',
        '\n\n',
        '\n',
        'Prompt: ',
        '**',
        'Here is one: ',
        '(Note: x)',
        'Assistant: ',
        "'",
      ),
    ),
    { maxLength: 12 },
  );

  it('what is found is trimmed, on one line, without control characters, and stays so when parsed again', () => {
    const property = fc.property(pieces, (list) => {
      const { text } = parseInstruction(list.join(''));
      expect(text).toBe(text.trim());
      expect(text).not.toMatch(/[\p{C}\n]/u);
      expect(text.isWellFormed()).toBe(true);
      expect(parseInstruction(text).text).toBe(text);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
