import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeTinyStudent } from '../distill/tiny.testing.node.ts';
import { Ledger } from '../ledger/ledger.node.ts';
import { type Embedder, openEmbedder } from './embedder.node.ts';

let folder: string;
let ledger: Ledger;
let embedder: Embedder;
beforeAll(async () => {
  folder = await temporaryFolder();
  const encoder = await writeTinyStudent(path.join(folder, 'encoder'));
  ledger = Ledger.open(path.join(folder, 'run'));
  embedder = await openEmbedder(encoder, { maxLength: 32, ledger });
});
afterAll(async () => {
  await embedder.dispose();
  ledger.close();
  await rm(folder, { recursive: true });
});

const length = (vector: Float32Array) => Math.hypot(...vector);
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
const countKept = () => ledger.get('SELECT count(*) AS n FROM vectors')!.n;

describe('meanings', () => {
  it('are vectors of length 1, alike for texts that are', async () => {
    const [a, b, c] = await embedder.embed(['your hat is ugly', 'your hat is ugly', 'what a lovely song that is']);
    for (const vector of [a!, b!, c!]) expect(length(vector)).toBeCloseTo(1, 5);
    expect(cosine(a!, b!)).toBeCloseTo(1, 6);
    expect(cosine(a!, c!)).toBeLessThan(0.999);
  });

  it('are computed once, and the same when read again', async () => {
    const texts = Array.from(
      { length: 40 },
      (_, n) => `tell me why the ${n % 2 ? 'dog' : 'cake'} is so silly ${'today '.repeat(n)}`,
    );
    const first = await embedder.embed(texts);
    const kept = countKept();
    expect(await embedder.embed(texts)).toEqual(first);
    expect(countKept()).toBe(kept);
  });
});
