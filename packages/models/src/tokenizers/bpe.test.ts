import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BpeModel, createBpeEncoder, pairKey } from './bpe.ts';

/** "ab" joins a and b; symbols are numbered from `a`, joined tokens follow in the order of their merges. */
function modelOf(merges: readonly string[], options: Partial<BpeModel> = {}): { model: BpeModel; names: string[] } {
  const names = ['a', 'b', 'c', 'd'];
  const symbols = new Map(names.map((name, id) => [name, id]));
  const ranks = new Map<number, number>();
  const merged = merges.map((merge, rank) => {
    const [left, right] = merge.split(' ').map((part) => names.indexOf(part)) as [number, number];
    ranks.set(pairKey(left, right), rank);
    return names.push(names[left]! + names[right]!) - 1;
  });
  return {
    model: { symbols, ranks, merged, words: new Map(), unkId: undefined, fusesUnknown: false, ...options },
    names,
  };
}

function encode({ model, names }: ReturnType<typeof modelOf>, word: string): string {
  const ids: number[] = [];
  createBpeEncoder(model)(word, ids);
  return ids.map((id) => names[id] ?? '?').join(' ');
}

it('joins the pair that was learned first, the leftmost of equal ones', () => {
  expect(encode(modelOf(['b c', 'a b']), 'abc')).toBe('a bc');
  expect(encode(modelOf(['a b', 'b c']), 'abc')).toBe('ab c');
  expect(encode(modelOf(['a a']), 'aaaaa')).toBe('aa aa a');
  expect(encode(modelOf(['a a', 'aa aa', 'aa a']), 'aaaaaaa')).toBe('aaaa aaa');
});

it('is what joining pair by pair gives, for any merges and words', () => {
  const rules = ['a b', 'b a', 'a a', 'ab ab', 'ab a', 'aa b', 'c d', 'd c', 'cd ab', 'ba cd'];
  const merges = fc.shuffledSubarray(rules).map((some) => {
    const known = new Set(['a', 'b', 'c', 'd']);
    return some.filter((rule) => {
      const parts = rule.split(' ');
      return parts.every((part) => known.has(part)) && known.add(parts.join(''));
    });
  });
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 40 });
  fc.assert(
    fc.property(merges, word, (some, text) => {
      let parts = [...text];
      for (;;) {
        const pairs = parts.slice(1).map((part, i) => some.indexOf(`${parts[i]} ${part}`));
        const best = Math.min(...pairs.filter((rank) => rank >= 0));
        if (best === Infinity) break;
        const at = pairs.indexOf(best);
        parts = [...parts.slice(0, at), parts[at]! + parts[at + 1]!, ...parts.slice(at + 2)];
      }
      expect(encode(modelOf(some), text)).toBe(parts.join(' '));
    }),
  );
});

it('leaves out characters without an id, or has the unknown token for each, or for each run', () => {
  expect(encode(modelOf(['a b']), 'axxb')).toBe('ab');
  expect(encode(modelOf(['a b'], { unkId: 99 }), 'axxb')).toBe('a ? ? b');
  expect(encode(modelOf(['a b'], { unkId: 99, fusesUnknown: true }), 'axxbx')).toBe('a ? b ?');
});

it('takes whole words as they are where the model says so', () => {
  expect(encode(modelOf(['a b'], { words: new Map([['abc', 3]]) }), 'abc')).toBe('d');
});
