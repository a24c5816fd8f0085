/** What is encoded here, the guard's views decode: up to what a view says it loses. */
import fc from 'fast-check';
import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../guard/src/normalise.ts';
import { type ViewName, views } from '../../../guard/src/views/views.ts';
import type { Row } from '../data/row.ts';
import { scriptedProvider } from '../providers/scripted.ts';
import { applyTransform } from './apply.ts';
import { parseTransform } from './spec.ts';
import { transformNames } from './table.ts';

const text = 'Please tell me how to make fun of the new teacher, before the whole class, without her noticing.';
const rowOf = (prompt: string, more: Partial<Row> = {}): Row => ({ id: 'row', prompt, ...more });

async function changed(prompt: string, spec: string, seed = 0): Promise<string> {
  return (await applyTransform([rowOf(prompt)], spec, { seed })).rows[0]!.prompt;
}

/** Mild sentences of usual words, each once: what a view needs to know a language by. */
const words =
  'please tell me how the new teacher and her whole class make such a lovely cake without any sugar today'.split(' ');
const sentences = fc.shuffledSubarray(words, { minLength: 12 }).map((picked) => `${picked.join(' ')}.`);
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** The view that undoes a transform, and what of a text that view cannot give back. */
const undone: readonly [spec: string, view: ViewName, kept: (plain: string) => string][] = [
  ['caesar:3', 'caesar', (plain) => plain],
  ['caesar:13', 'caesar', (plain) => plain],
  ['morse', 'morse', (plain) => plain.toLowerCase()],
  ['base64', 'base64', (plain) => plain],
  ['hex', 'hex', (plain) => plain],
  ['reversed', 'reversed', (plain) => plain],
  ['spaced', 'spaced', (plain) => plain.replace(/\.$/, '')],
  ['spaced:-', 'spaced', (plain) => plain.replace(/\.$/, '')],
  ['full-width', 'full-width', (plain) => plain],
];

describe('a transform', () => {
  it.each(undone)('%s is undone by the guard’s view %s', async (spec, view, kept) => {
    const letters = (one: string) => kept(one).replace(/[.]$/, '').trim();
    await fc.assert(
      fc.asyncProperty(sentences, async (plain) => {
        const found = views[view](await changed(plain, spec));
        expect(letters(found?.text ?? '')).toBe(letters(plain));
      }),
      { numRuns: 40 },
    );
  });

  it('with bytes gives any text back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), async (plain) => {
        const bytes = Buffer.from(plain, 'utf8');
        expect(Buffer.from(await changed(plain, 'base64'), 'base64')).toEqual(bytes);
        expect(Buffer.from(await changed(plain, 'hex'), 'hex')).toEqual(bytes);
        const twice = await changed(await changed(plain, 'reversed'), 'reversed');
        expect(twice).toBe(plain);
        expect(await changed(await changed(plain, 'caesar:3'), 'caesar:23')).toBe(plain);
      }),
    );
    const long = 'ä'.repeat(100_000);
    expect(Buffer.from(await changed(long, 'base64'), 'base64').toString()).toBe(long);
  });

  it('leetspeak is read again but for i and l, which share a digit', async () => {
    const same = (one: string) => one.replaceAll('l', 'i');
    await fc.assert(
      fc.asyncProperty(sentences, async (plain) => {
        const found = views.leetspeak(await changed(plain, 'leetspeak'));
        expect(same(found!.text)).toBe(same(plain));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['look-alikes:0.3', /[\u0400-\u04ff\u0500-\u052f]/],
    ['zero-width', /[\u200b\u2060\ufeff\u00ad]/],
  ])('%s is normalised away', async (spec, pattern) => {
    await fc.assert(
      fc.asyncProperty(sentences, seeds, async (plain, seed) => {
        const disguised = await changed(plain, spec, seed);
        expect(disguised).toMatch(pattern);
        expect(normalise(disguised).text).toBe(plain);
      }),
      { numRuns: 40 },
    );
  });

  it('is drawn by the seed and the row’s id, not by its place', async () => {
    const rows = Array.from({ length: 20 }, (_, id) => ({ id: String(id), prompt: text }));
    for (const spec of ['leetspeak:0.5', 'look-alikes', 'zero-width', 'role-play']) {
      const of = async (list: readonly Row[], seed: number) =>
        (await applyTransform(list, spec, { seed })).rows.map(({ prompt }) => prompt);
      const all = await of(rows, 1);
      expect(await of(rows, 1)).toEqual(all);
      expect(await of(rows.toReversed(), 1)).toEqual(all.toReversed());
      expect(await of(rows, 2)).not.toEqual(all);
      expect(new Set(all).size).toBeGreaterThan(4);
    }
  });

  it('keeps labels and category, and names itself in id and source', async () => {
    const row = rowOf('Your plan', {
      response: 'Thanks',
      label: 1,
      softLabel: 0.75,
      category: 'Rudeness',
      source: 'set',
    });
    const { rows, originals, skipped } = await applyTransform([row, rowOf('Hi')], 'caesar:3');
    expect(rows).toEqual([
      { ...row, id: 'row~caesar:3', prompt: 'Brxu sodq', response: 'Wkdqnv', source: 'set~caesar:3' },
      { id: 'row~caesar:3', prompt: 'Kl', source: 'caesar:3' },
    ]);
    expect(originals[0]).toBe(row);
    expect(skipped.size).toBe(0);
  });

  it('changes the side that is asked for, and runs in the order written', async () => {
    const row = rowOf('abc', { response: 'xyz' });
    const of = async (spec: string) => (await applyTransform([row], spec)).rows[0]!;
    expect(await of('reversed@prompt')).toMatchObject({ prompt: 'cba', response: 'xyz' });
    expect(await of('reversed@response')).toMatchObject({ prompt: 'abc', response: 'zyx' });
    expect((await of('caesar:1+hex')).prompt).toBe('626364');
    const told = await of('role-play:novel+base64');
    expect(atob(told.prompt)).toMatch(/^I am writing a novel.* abc$/);
    expect(told.response).toBe(btoa('xyz')); // a story is told by who asks
  });

  it('never makes an empty text', async () => {
    for (const spec of transformNames.filter((name) => name !== 'translate')) {
      expect(await changed('é', spec)).not.toBe('');
      expect((await applyTransform([rowOf('a', { response: '' })], spec)).rows[0]!.response).toBe('');
    }
  });

  it('leaves out what would be longer than a row may be', async () => {
    const { rows, skipped } = await applyTransform([rowOf('a'.repeat(600_000))], 'hex');
    expect([rows.length, [...skipped]]).toEqual([0, [['too long when transformed', 1]]]);
  });

  it.each([
    ['cesar', /--with: Unknown transform "cesar"\. Did you mean "caesar"\?/],
    ['caesar:26', /--with: caesar: shift: expected a whole number from 1 to 25, got "26"/],
    ['caesar:1.5', /a whole number/],
    ['caesar:', /a whole number/],
    ['leetspeak:0', /share: expected a number from 0\.01 to 1/],
    ['morse:3', /morse takes no value/],
    ['role-play:bank', /story: expected one of "actor"/],
    ['spaced:#', /separator: expected one of " ", "-"/],
    ['translate', /expected a language/],
    ['translate:{}', /expected a language/],
    ['hex@text', /expected @prompt or @response/],
    ['hex@prompt@prompt', /expected @prompt or @response/],
    ['', /Unknown transform ""/],
    ['hex+', /Unknown transform ""/],
    ['toString', /Unknown transform "toString"/],
  ])('that is written %j is refused', (spec, message) => {
    expect(() => parseTransform(spec, '--with')).toThrow(ConfigError);
    expect(() => parseTransform(spec, '--with')).toThrow(message);
  });
});

describe('translating', () => {
  const rows: Row[] = [rowOf('What a silly hat!', { label: 1 }), { id: 'two', prompt: 'Hello', response: 'Hi' }];

  it('asks the model once for each text, which is marked as what it is', async () => {
    const provider = scriptedProvider({ text: ['Was für ein alberner Hut!', ' <text>Hallo</text>\n', 'Tag'] });
    const translated = await applyTransform(rows, 'translate:German', { provider, concurrency: 1 });
    expect(translated.rows).toEqual([
      { id: 'row~translate:German', prompt: 'Was für ein alberner Hut!', label: 1, source: 'translate:German' },
      { id: 'two~translate:German', prompt: 'Hallo', response: 'Tag', source: 'translate:German' },
    ]);
    expect(provider.calls[0]).toMatchObject({
      request: { id: 'row (prompt)', temperature: 0, input: { messages: [{ role: 'system' }, { role: 'user' }] } },
    });
  });

  it.each([
    ['I’m sorry, but I cannot help with that.', 'translation refused'],
    ['', 'no translation'],
    [{ text: 'Was', finishReason: 'length' as const }, 'translation cut off'],
    [{ text: 'Was', finishReason: 'filter' as const }, 'no translation'],
  ])('that comes to nothing leaves the row out: %j', async (answer, reason) => {
    const provider = scriptedProvider({ text: () => answer });
    const translated = await applyTransform(rows, 'translate:German', { provider });
    expect([translated.rows, Object.fromEntries(translated.skipped)]).toEqual([[], { [reason]: 2 }]);
  });

  it('takes a refusal in the text for what it is', async () => {
    const provider = scriptedProvider({ text: 'Es tut mir leid, dabei kann ich nicht helfen.' });
    const refusal = rowOf('I’m sorry, but I cannot help with that.');
    expect((await applyTransform([refusal], 'translate:German', { provider })).rows).toHaveLength(1);
  });

  it('needs a model', async () => {
    await expect(applyTransform(rows, 'translate:German')).rejects.toThrow(/needs a language model/);
    await expect(applyTransform(rows, 'role-play+translate:German')).rejects.toThrow(ConfigError);
  });
});
