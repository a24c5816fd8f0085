import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { ALIGNMENT_BYTES, layOutMemories } from './layout.ts';

const LIMIT = 1 << 16;
const groups = fc.array(fc.record({ lengths: fc.array(fc.nat(2000), { maxLength: 6 }) }), { maxLength: 20 });

describe('layOutMemories', () => {
  it('keeps groups together, arrays aligned and apart, and memories within the limit', () => {
    fc.assert(
      fc.property(groups, (asked) => {
        const { memoryBytes, slots } = layOutMemories(asked, LIMIT);
        for (const bytes of memoryBytes) expect(bytes).toBeLessThanOrEqual(LIMIT);
        expect(slots.map((group) => group.map((slot) => slot.length))).toEqual(asked.map((group) => group.lengths));
        for (const group of slots) expect(new Set(group.map((slot) => slot.memory)).size).toBeLessThanOrEqual(1);
        const ordered = slots
          .flat()
          .sort((a, b) => a.memory - b.memory || a.offsetBytes - b.offsetBytes || a.length - b.length);
        ordered.forEach((slot, index) => {
          expect(slot.offsetBytes % ALIGNMENT_BYTES).toBe(0);
          const next = ordered[index + 1];
          const end = next?.memory === slot.memory ? next.offsetBytes : memoryBytes[slot.memory]!;
          expect(slot.offsetBytes + slot.length * 4).toBeLessThanOrEqual(end);
        });
      }),
    );
  });

  it('opens a second memory only when the first has no room', () => {
    const { memoryBytes } = layOutMemories([{ lengths: [10_000] }, { lengths: [10_000] }, { lengths: [6000] }], LIMIT);
    expect(memoryBytes).toEqual([40_000 + 24_000, 40_000]);
  });

  it('refuses a group that no memory can hold, and lengths that are no counts', () => {
    expect(() => layOutMemories([{ lengths: [10_000, 10_000] }], LIMIT)).toThrow(ConfigError);
    expect(() => layOutMemories([{ lengths: [-1] }])).toThrow(/-1 elements/);
    expect(() => layOutMemories([{ lengths: [2 ** 30 + 1] }])).toThrow(/one WebAssembly memory holds 4294967296/);
  });
});
