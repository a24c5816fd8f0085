import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalised } from '../dedup/vectors.ts';
import { amongFirst, countClusters, dbscan, neighboursOf } from './dbscan.ts';
import { distinctGrams } from './n-grams.ts';
import { selfBleu } from './self-bleu.ts';

interface Recorded {
  readonly selfBleu: { name: string; texts: string[]; selfBleu: number }[];
  readonly dbscan: { epsilon: number; minSamples: number; vectors: number[][]; labels: number[] }[];
}
const file = new URL('../../test/oracles/measures/measures.json', import.meta.url);
const recorded: Recorded = JSON.parse(readFileSync(file, 'utf8'));

describe('self-BLEU', () => {
  it.each(recorded.selfBleu)('of texts $name is nltk’s', ({ texts, selfBleu: expected }) => {
    expect(selfBleu(texts.map((text) => text.split(' ')))).toBeCloseTo(expected, 12);
  });

  it('is nothing for fewer than two texts, and 0 for a text without words', () => {
    expect(selfBleu([['tea']])).toBeNull();
    expect(selfBleu([[], ['tea', 'hat']])).toBe(0);
  });
});

describe('DBSCAN', () => {
  it.each(recorded.dbscan)(
    'within $epsilon of $minSamples rows gives the clusters of scikit-learn',
    async (recording) => {
      const { epsilon, minSamples, vectors, labels } = recording;
      const near = await neighboursOf(
        vectors.map((row) => normalised(Float32Array.from(row))),
        epsilon,
      );
      expect([...dbscan(near, minSamples)]).toEqual(labels);
      expect(countClusters(Int32Array.from(labels))).toBe(Math.max(...labels) + 1);
    },
  );

  it('of the first rows is that of these rows alone', async () => {
    const { epsilon, minSamples, vectors } = recorded.dbscan[0]!;
    const rows = vectors.map((row) => normalised(Float32Array.from(row)));
    const some = amongFirst(await neighboursOf(rows, epsilon), 50);
    expect(dbscan(some, minSamples)).toEqual(dbscan(await neighboursOf(rows.slice(0, 50), epsilon), minSamples));
  });
});

it('distinct n-grams are counted over all texts', () => {
  const texts = [
    ['a', 'b', 'a'],
    ['a', 'b'],
  ];
  expect(distinctGrams(texts, 1)).toBe(2 / 5);
  expect(distinctGrams(texts, 2)).toBe(2 / 3);
  expect(distinctGrams(texts, 4)).toBeNull();
});
