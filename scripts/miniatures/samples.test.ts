/** What the quickstart is shown with: rows that hold together, a test that nobody was taught, a seed that is narrow. */
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../packages/harmaug/src/data/read.node.ts';
import { NearDuplicates } from '../../packages/harmaug/src/dedup/near-duplicates.ts';
import { wordsOf } from '../../packages/harmaug/src/dedup/words.ts';
import { distinctGrams } from '../../packages/harmaug/src/measures/n-grams.ts';
import { selfBleu } from '../../packages/harmaug/src/measures/self-bleu.ts';
import { isOfCategory } from '../../packages/harmaug/src/stages/categories.ts';
import { isRefusal } from '../../packages/harmaug/src/stages/refusals.ts';
import { miniaturePool } from './build.node.ts';
import { instructionsOf, repliesOf } from './corpus.ts';

const samples = path.resolve(import.meta.dirname, '../../samples');
const { rows: seed } = await readRows([path.join(samples, 'seed.jsonl')]);
const { rows: test } = await readRows([path.join(samples, 'test.jsonl')]);
const pool = miniaturePool();
const instructions = instructionsOf(pool);

/** The generation stage's own bounds, packages/harmaug/src/stages/settings.ts. */
const near = { unit: 'characters', size: 5, threshold: 0.7 } as const;

describe('samples', () => {
  it('have ids, labels and categories of the pool', () => {
    for (const rows of [seed, test]) {
      expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
      expect(rows.every(({ label }) => label === 0 || label === 1)).toBe(true);
      const named = rows.flatMap(({ category }) => category ?? []);
      expect(named.every((name) => pool.some(({ category }) => isOfCategory(name, category)))).toBe(true);
    }
  });

  it('test every category with unsafe and safe prompts and pairs, half of all unsafe', () => {
    for (const { category } of pool) {
      const own = test.filter((row) => row.category === category.name);
      const kinds = new Set(own.map(({ response, label }) => `${response === undefined ? 'prompt' : 'pair'} ${label}`));
      expect([category.name, ...kinds].sort()).toEqual(
        [category.name, 'pair 0', 'pair 1', 'prompt 0', 'prompt 1'].sort(),
      );
    }
    expect(test.length).toBeGreaterThanOrEqual(400);
    const unsafe = test.filter(({ label }) => label === 1).length / test.length;
    expect(unsafe).toBeGreaterThan(0.45);
    expect(unsafe).toBeLessThan(0.55);
  });

  it('test nothing that the miniatures or the students are taught, nor nearly so', () => {
    const taught = new NearDuplicates(near);
    const texts = new Set([...instructions, ...repliesOf(pool, mulberry32(1)), ...seed.flatMap(textsOf)]);
    for (const text of texts) taught.add(taught.sketch(text));
    expect(taught.find(taught.sketch(`${instructions[0]} `))).toBeGreaterThanOrEqual(0);
    const found = test.filter((row) => textsOf(row).some((text) => taught.find(taught.sketch(text)) >= 0));
    expect(found.map(({ id }) => id)).toEqual([]);
  });

  it('begin with a seed that is narrower than what the generator can write', () => {
    const narrow = seed
      .filter(({ label, response }) => label === 1 && response === undefined)
      .map(({ prompt }) => prompt);
    const harmful = pool.flatMap((topic) => topic.instructions.harmful);
    const wide = narrow.map((_, at) => harmful[Math.floor((at * harmful.length) / narrow.length)]!);
    const [a, b] = [narrow, wide].map((texts) => texts.map((text) => wordsOf(text)));
    expect(distinctGrams(a!, 2)!).toBeLessThan(0.7 * distinctGrams(b!, 2)!);
    expect(selfBleu(a!)!).toBeGreaterThan(1.5 * selfBleu(b!)!);
    const categories = new Map<string, number>();
    for (const { category } of seed.filter(({ label }) => label === 1)) {
      categories.set(category!, (categories.get(category!) ?? 0) + 1);
    }
    const largest = [...categories.values()].sort((x, y) => y - x).slice(0, 3);
    expect(largest.reduce((x, y) => x + y) / seed.filter(({ label }) => label === 1).length).toBeGreaterThan(0.9);
  });
});

describe('the pool', () => {
  it('has over ten thousand instructions, in no kind or category the same', () => {
    expect(instructions.length).toBeGreaterThan(10_000);
    expect(new Set(instructions).size).toBeGreaterThan(0.95 * instructions.length);
    const harmful = new Set(pool.flatMap((topic) => topic.instructions.harmful));
    expect(pool.flatMap((topic) => topic.instructions.benign).filter((text) => harmful.has(text))).toEqual([]);
  });

  it('refuses in words that are known as refusals, and complies in others', () => {
    const uniform = mulberry32(2);
    for (let draw = 0; draw < 100; draw++) {
      for (const { refusal, writerRefusal, reply } of pool) {
        expect([refusal(uniform), writerRefusal(uniform)].filter((text) => !isRefusal(text))).toEqual([]);
        expect([reply('harmful', uniform), reply('benign', uniform)].filter(isRefusal)).toEqual([]);
      }
    }
  });
});

function textsOf({ prompt, response }: { prompt: string; response?: string }): string[] {
  return response === undefined ? [prompt] : [prompt, response];
}
