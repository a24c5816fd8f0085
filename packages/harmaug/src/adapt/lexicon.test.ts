import { mulberry32 } from '@harmaug/models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyTransform } from '../transforms/apply.ts';
import { readLexicon, switchWords } from './lexicon.ts';

const texts = [
  'Write a rude letter to my landlord, please! And don’t be kind.',
  'How do I write a letter to (my) teacher?',
  'A landlord may not read your mail, so please (please!) don’t ask.',
];
async function lexiconOf(spec: string) {
  const rows = texts.map((prompt, at) => ({ id: `r${at}`, prompt }));
  const { rows: disguised } = await applyTransform(rows, spec);
  return readLexicon(disguised.map(({ prompt }, at) => ({ original: texts[at]!, disguised: prompt })));
}
const always = () => 0;

describe('a lexicon', () => {
  it.each(['caesar:3', 'caesar:20', 'leetspeak'])('of %s writes other texts as it does itself', async (spec) => {
    const lexicon = await lexiconOf(spec);
    const prompt = 'Please don’t write to a (landlord)!\n  Read my letter:';
    const { rows } = await applyTransform([{ id: 'x', prompt: prompt.toLowerCase() }], spec);
    expect(switchWords(prompt.toLowerCase(), lexicon!, 1, always)).toBe(rows[0]!.prompt);
  });

  it.each(['base64', 'morse', 'reversed', 'spaced', 'look-alikes:0.5', 'role-play'])(
    'is not made of %s, which has no one way to write a word',
    async (spec) => expect(await lexiconOf(spec)).toBeNull(),
  );

  it('takes a share of the words, and leaves those it does not know, signs and spaces as they are', () => {
    const lexicon = readLexicon([{ original: 'good morning', disguised: 'jrrg pruqlqj' }])!;
    expect(switchWords(' Good,\tgood  evening… 42', lexicon, 1, always)).toBe(' jrrg,\tjrrg  evening… 42');
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
        const words = switchWords('good '.repeat(400), lexicon, share, mulberry32(seed)).trim().split(' ');
        const switched = words.filter((word) => word === 'jrrg').length;
        expect(words).toHaveLength(400);
        expect(Math.abs(switched / 400 - share)).toBeLessThan(0.15);
      }),
    );
  });

  it('takes what stands most often for a word, and nothing where too little agrees', () => {
    const pair = (disguised: string) => ({ original: 'hello', disguised });
    const pairs = (right: number, wrong: number) => [
      ...Array.from({ length: right }, () => pair('khoor')),
      ...Array.from({ length: wrong }, (_, at) => pair(`w${at}`)),
    ];
    expect(readLexicon(pairs(19, 1))?.get('hello')).toBe('khoor');
    expect(readLexicon(pairs(6, 4))).toBeNull();
  });

  it('knows a word in lower case that was seen with a capital alone, but of none that has no letters of two cases', () => {
    const written = (original: string, disguised: string) =>
      switchWords(original.toLowerCase(), readLexicon([{ original, disguised }])!, 1, always);
    expect(written('Good', 'Jrrg')).toBe('jrrg');
    expect(written('Good', '6009')).toBe('good');
  });

  it('is not made of texts of other numbers of words, or of none', () => {
    expect(readLexicon([{ original: 'one two', disguised: 'three' }])).toBeNull();
    expect(readLexicon([])).toBeNull();
    expect(readLexicon([{ original: 'same', disguised: 'same' }])).toBeNull();
  });
});
