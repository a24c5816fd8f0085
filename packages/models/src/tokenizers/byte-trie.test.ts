import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildByteTrie } from './byte-trie.ts';

it('finds every key and no other, through growth', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 2000 }), fc.array(key, { maxLength: 100 }), (keys, others) => {
      const trie = buildByteTrie(keys.map((bytes, id) => [bytes, id] as const));
      const expected = new Map(keys.map((bytes, id) => [bytes.join(), id]));
      for (const bytes of [...keys, ...others]) {
        let node = 0;
        for (const byte of bytes) node = node < 0 ? -1 : trie.step(node, byte);
        expect(node < 0 ? -1 : trie.ids[node]).toBe(expected.get(bytes.join()) ?? -1);
      }
    }),
    { numRuns: 20 },
  );
});
