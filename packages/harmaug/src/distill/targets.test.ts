import { describe, expect, it } from 'vitest';
import { targetOf } from './targets.ts';

const settings = { lambda: 0.5, temperature: 1, missingSoftLabel: 'error' } as const;
const row = { id: 'row-7', prompt: 'You again?' };

describe('the target of a row', () => {
  it('is its labels as they are', () => {
    expect(targetOf({ ...row, label: 0, softLabel: 0.8 }, settings)).toEqual({ label: 0, softLabel: 0.8 });
  });

  it('takes the hard label from the soft one, unsafe over a half', () => {
    expect(targetOf({ ...row, softLabel: 0.51 }, settings).label).toBe(1);
    expect(targetOf({ ...row, softLabel: 0.5 }, settings).label).toBe(0);
  });

  it('never goes without a soft label in silence', () => {
    const hardOnly = { ...row, label: 1 } as const;
    expect(() => targetOf(hardOnly, settings)).toThrow(
      /Row "row-7" has no soft_label.*--missing-soft-label hard.*--lambda 0/s,
    );
    expect(targetOf(hardOnly, { ...settings, missingSoftLabel: 'hard' })).toEqual({ label: 1, softLabel: 1 });
    expect(targetOf(hardOnly, { ...settings, lambda: 0 })).toEqual({ label: 1, softLabel: 1 });
    expect(() => targetOf(row, { ...settings, lambda: 0 })).toThrow(/neither a label nor a soft_label/);
  });

  it('brings the soft label to the temperature, at which a half stays a half', () => {
    const at = (softLabel: number, temperature: number) =>
      targetOf({ ...row, softLabel }, { ...settings, temperature }).softLabel;
    expect(at(0.9, 2)).toBeCloseTo(0.75); // odds 9 -> √9
    expect(at(0.5, 4)).toBeCloseTo(0.5);
    expect(at(1, 2)).toBeGreaterThan(0.99);
    expect(at(1, 2)).toBeLessThan(1);
  });
});
