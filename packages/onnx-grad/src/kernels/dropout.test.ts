import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { type DropoutDraw, dropoutKeys, dropoutThreshold } from './dropout.ts';
import { instantiateKernels } from './module.ts';
import { referenceKeeps } from './reference.testing.ts';

const LENGTH = 1 << 20;
const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const kernels = instantiateKernels(memory);

/** Which elements are kept, as 0 and 1. */
function draw(place: DropoutDraw, probability: number): Uint8Array {
  kernels.dropoutMask(0, 0, LENGTH, ...dropoutKeys(place), dropoutThreshold(probability), 1);
  return Uint8Array.from(new Float32Array(memory.buffer, 0, LENGTH));
}

/** How many standard deviations the count of agreements is from that of independent masks. */
function agreementZ(a: Uint8Array, b: Uint8Array, probability: number): number {
  const expected = probability ** 2 + (1 - probability) ** 2;
  const agreements = a.reduce((sum, value, i) => sum + (value === b[i] ? 1 : 0), 0);
  return (agreements - expected * a.length) / Math.sqrt(a.length * expected * (1 - expected));
}

describe('dropout masks', () => {
  it('are what the documented formula says', () => {
    const place = { seed: 42, step: 3, site: 5 };
    const mask = draw(place, 0.3);
    const keys = dropoutKeys(place);
    for (let i = 0; i < 1000; i++) expect(mask[i] === 1).toBe(referenceKeeps(i, keys, dropoutThreshold(0.3)));
  });

  it.each([0.05, 0.1, 0.5])('drop a share of %d', (probability) => {
    for (let step = 0; step < 5; step++) {
      const kept = draw({ seed: 1, step, site: 0 }, probability).reduce((sum, value) => sum + value, 0);
      const exact = 1 - dropoutThreshold(probability) / 65_536;
      expect(Math.abs(kept - exact * LENGTH) / Math.sqrt(LENGTH * exact * (1 - exact))).toBeLessThan(4);
    }
  });

  it('are independent between neighbours, steps, sites and seeds', () => {
    const place = { seed: 7, step: 100, site: 3 };
    const mask = draw(place, 0.5);
    for (const lag of [1, 2, 3, 4, 8, 16, 64, 128, 384]) {
      expect(Math.abs(agreementZ(mask.subarray(lag), mask.subarray(0, -lag), 0.5))).toBeLessThan(4);
    }
    for (const other of [{ step: 101 }, { step: 99 }, { site: 4 }, { site: 2 }, { seed: 8 }, { seed: 7 + 2 ** 32 }]) {
      expect(Math.abs(agreementZ(mask, draw({ ...place, ...other }, 0.5), 0.5))).toBeLessThan(4);
    }
  });

  it('show all 256 patterns of eight neighbours equally often', () => {
    const mask = draw({ seed: 1, step: 1, site: 1 }, 0.5);
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < LENGTH; i += 8) counts[mask.subarray(i, i + 8).reduce((bits, bit) => bits * 2 + bit, 0)]! += 1;
    const expected = LENGTH / 8 / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(Math.abs(chiSquare - 255) / Math.sqrt(2 * 255)).toBeLessThan(4); // mean 255, variance 2 * 255
  });

  it('never share keys between nearby seeds, steps and sites', () => {
    const keys = new Set<string>();
    const range = Array.from({ length: 20 }, (_, i) => i);
    for (const seed of range)
      for (const step of range) for (const site of range) keys.add(String(dropoutKeys({ seed, step, site })));
    expect(keys.size).toBe(8000);
  });

  it('refuse a probability outside [0, 1) and places that are no whole numbers', () => {
    for (const probability of [-0.1, 1, Number.NaN]) expect(() => dropoutThreshold(probability)).toThrow(ConfigError);
    for (const site of [-1, 0.5, 2 ** 53]) expect(() => dropoutKeys({ seed: 0, step: 0, site })).toThrow(ConfigError);
  });
});
