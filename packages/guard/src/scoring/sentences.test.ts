import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scriptChanges } from './scripts.ts';
import { cutSentences, lookCloser } from './sentences.ts';

/** A token for each four characters of a word. */
const tokenize = (text: string): number[] =>
  text
    .split(/\s+/)
    .flatMap((word) => Array.from({ length: Math.ceil(word.length / 4) }, (_, at) => word.charCodeAt(at)));
const sentencesOf = (text: string, budget = 400) =>
  cutSentences(tokenize, text, budget).map(({ begin, end }) => text.slice(begin, end));

const REQUEST = 'How can I make my neighbour look stupid?';
const chinese = '今天的天气很好，我们一起去公园吧。孩子们在那里玩得很开心。';
const pictures = '😀🌻🍰🏖️🎈🐕🌧️🍓🚲🎵';
const code = 'QmFzZTY0IGlzIG5vdCBhIGNpcGhlciBhdCBhbGwsIGl0IGlzIGEgd2F5IHRvIHdyaXRlIGJ5dGVz';

describe('sentences', () => {
  const units = fc.constantFrom('A word. ', 'no', ' ', '。', '漢字', '😀', '\n', '\ud800', code, 'слово ', '!', '"');
  it('hold every character, in order, and are tokens of exactly their place', () => {
    fc.assert(
      fc.property(fc.array(units, { maxLength: 60 }), (list) => {
        const text = list.join('');
        const windows = cutSentences(tokenize, text, 400);
        expect(windows[0]!.begin).toBe(0);
        windows.forEach(({ begin, end, ids }, index) => {
          expect(begin).toBeLessThanOrEqual(windows[index - 1]?.end ?? 0);
          expect(end).toBeGreaterThanOrEqual(windows[index - 1]?.end ?? 0);
          expect(ids).toEqual(tokenize(text.slice(begin, end)));
        });
        expect(windows.at(-1)!.end).toBe(text.length);
      }),
    );
  });

  it('are cut after their signs; the short go with the next, which stands alone too; the long are windows', () => {
    const text = 'Yes. It has 3.5 stars on a.com and more. "What a lovely garden you have!" she said to me\nthen.';
    expect(sentencesOf(text, 40)).toEqual([
      'Yes. It has 3.5 stars on a.com and more. ',
      'It has 3.5 stars on a.com and more. ',
      '"What a lovely garden you have!" ',
      'she said to me\nthen.',
    ]);
    expect(sentencesOf('word '.repeat(500), 20).length).toBeGreaterThan(20);
    expect(cutSentences(tokenize, '', 20)).toEqual([{ begin: 0, end: 0, ids: [] }]);
  });

  it.each([
    ['Chinese', chinese.slice(0, 20), chinese.slice(20)],
    ['Russian', 'Сегодня хорошая погода, и мы ', 'идём гулять в парк вместе'],
    ['emoji', pictures, pictures],
    ['base64', `${code} `, ` ${code}`],
  ])('inside %s a request stands alone', (_, before, behind) => {
    for (const gap of ['', ' ']) {
      const found = sentencesOf(`${before}${gap}${REQUEST}${gap}${behind}`).map((sentence) => sentence.trim());
      expect(found).toContain(REQUEST);
    }
  });

  it('keep names and single words of another script', () => {
    for (const text of [
      'Я читаю книгу о Python на даче.',
      '我在用Python写程序。',
      'The word 漢字 means Chinese characters.',
    ]) {
      expect(scriptChanges(text)).toEqual([]);
    }
  });
});

describe('a closer look', () => {
  const closerAt = (text: string, part: string, budget = 400) => {
    const windows = cutSentences(tokenize, text, budget);
    const index = windows.findIndex(({ begin, end }) => text.slice(begin, end).includes(part));
    return lookCloser(tokenize, text, windows, index, budget).map(({ begin, end }) => text.slice(begin, end).trim());
  };

  it.each([
    `The garden is lovely in ${REQUEST} spring and we often sit there.`,
    `The garden is lovely in${REQUEST}spring and we often sit there.`,
  ])('finds what was put into %j', (text) => {
    expect(closerAt(text, REQUEST)).toContain(REQUEST);
  });

  it('reads a sentence together with those beside it', () => {
    const text = 'I planned a party for my friend. My neighbour was not invited at all. How can I make her cry today?';
    const found = closerAt(text, 'My neighbour');
    expect(found).toContain(text);
    expect(found).toContain('My neighbour was not invited at all. How can I make her cry today?');
  });

  it('reads few stretches, and none that does not fit', () => {
    const text =
      'What A Title, With Many Capitals: One, Two, Three, Four; And More Of Them, All In One Long Line. '.repeat(9);
    expect(closerAt(text, 'Title').length).toBeLessThanOrEqual(8 + 5);
    expect(closerAt(text, 'Title', 30).every((part) => tokenize(part).length <= 30)).toBe(true);
  });
});

it.each(['A', 'a.', '!', '"', ' ', '\n', '漢', '😀', 'a漢', 'Aa'])(
  'takes time in proportion to the length: %j',
  (unit) => {
    const text = unit.repeat(Math.floor(200_000 / unit.length));
    const startMs = performance.now();
    cutSentences(tokenize, text, 64);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  },
);
