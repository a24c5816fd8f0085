import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildByteTrie } from './byte-trie.ts';
import { createUnigramEncoder } from './unigram.ts';

const utf8 = new TextEncoder();

function encoderOf(pieces: readonly [string, number][], byteIds?: Int32Array, sums: 'float32' | 'float64' = 'float64') {
  const encode = createUnigramEncoder({
    trie: buildByteTrie(pieces.slice(1).map(([piece], i) => [utf8.encode(piece), i + 1] as const)),
    scores: Float64Array.from(pieces, ([, score]) => score),
    unkId: 0,
    unkScore: -20,
    byteIds,
    sums,
  });
  return (text: string) => {
    const ids: number[] = [];
    const bytes = utf8.encode(text);
    encode(bytes, bytes.length, ids);
    return ids;
  };
}

it('takes the path with the highest sum', () => {
  const encode = encoderOf([
    ['<unk>', 0],
    ['a', -1],
    ['b', -1],
    ['ab', -1.5],
    ['aba', -4],
  ]);
  expect(encode('aba')).toEqual([3, 1]);
  expect(encode('')).toEqual([]);
});

it('keeps the path whose last piece is longer when sums are equal', () => {
  const encode = encoderOf([
    ['<unk>', 0],
    ['a', -1],
    ['aa', -2],
  ]);
  expect(encode('aaa')).toEqual([1, 2]);
});

it('makes one unknown of neighbouring unknown characters', () => {
  const encode = encoderOf([
    ['<unk>', 0],
    ['a', -1],
  ]);
  expect(encode('a😀éa😀')).toEqual([1, 0, 1, 0]);
});

it('spells unknown characters in bytes when the model has pieces for all of them', () => {
  const byteIds = new Int32Array(256).fill(-1);
  byteIds[0xc3] = 7;
  byteIds[0xa9] = 8;
  const encode = encoderOf(
    [
      ['<unk>', 0],
      ['a', -1],
    ],
    byteIds,
  );
  expect(encode('aéa')).toEqual([1, 7, 8, 1]);
  expect(encode('aèa')).toEqual([1, 0, 1]);
});

it('keeps 32-bit sums precise far into a text', () => {
  const pieces: [string, number][] = [
    ['<unk>', 0],
    ['a', -3000],
    ['x', -0.5],
    ['y', -0.5],
    ['xy', -1.001], // worse than x and y by less than a float32 at 100,000 can tell
  ];
  expect(encoderOf(pieces, undefined, 'float32')(`${'a'.repeat(34)}xy`).slice(34)).toEqual([2, 3]);
});

it('finds what trying every cut finds', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 4 });
  const vocab = fc.uniqueArray(fc.tuple(piece, fc.integer({ min: -4096, max: 0 })), {
    selector: ([text]) => text,
    maxLength: 12,
  });
  fc.assert(
    fc.property(vocab, fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 8 }), (pieces, text) => {
      const all: [string, number][] = [['<unk>', 0], ['a', -500], ['b', -500], ['é', -500], ...pieces];
      const latest = new Map(all.slice(1)); // of equal pieces the last counts
      const best = (rest: string): number => {
        if (rest === '') return 0;
        return Math.max(
          ...[...latest].filter(([p]) => rest.startsWith(p)).map(([p, s]) => s + best(rest.slice(p.length))),
        );
      };
      const ids = encoderOf(all)(text);
      expect(ids.map((id) => all[id]![0]).join('')).toBe(text);
      expect(ids.reduce((sum, id) => sum + all[id]![1], 0)).toBe(best(text));
    }),
  );
});
