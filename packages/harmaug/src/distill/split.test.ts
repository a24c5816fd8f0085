import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promptKey } from '../data/prompt-key.ts';
import { splitByPrompt } from './split.ts';
import { tinyRows } from './tiny.testing.node.ts';

describe('the split', () => {
  it('puts every row on one side, and no prompt on both', () => {
    const letters = fc.constantFrom('a', 'A ', ' b', 'B', 'c', 'ｃ', 'd');
    const property = fc.property(fc.array(letters), fc.double({ min: 0, max: 0.9, noNaN: true }), (prompts, share) => {
      const rows = prompts.map((prompt, row) => ({ id: `${row}`, prompt }));
      const labels = prompts.map((_, row) => row % 2);
      const { training, validation } = splitByPrompt(rows, labels, { share, seed: 1 });
      expect([...training, ...validation].sort((a, b) => a - b)).toEqual(prompts.map((_, row) => row));
      const keys = new Set(training.map((row) => promptKey(prompts[row]!)));
      expect(validation.filter((row) => keys.has(promptKey(prompts[row]!)))).toEqual([]);
    });
    fc.assert(property);
  });

  it('takes about the share of each class', () => {
    const rows = tinyRows(2000).map((row, index) => ({ ...row, prompt: `${row.prompt} ${index % 1500}` }));
    const labels = rows.map(({ label }) => label!);
    const { validation } = splitByPrompt(rows, labels, { share: 0.1, seed: 0 });
    const [unsafe, heldUnsafe] = [labels, validation.map((row) => labels[row]!)].map(
      (list) => list.filter(Boolean).length,
    );
    expect(validation.length).toBeGreaterThan(190);
    expect(validation.length).toBeLessThan(210);
    expect(heldUnsafe! / unsafe!).toBeCloseTo(0.1, 1);
  });

  it('holds nothing out at a share of 0', () => {
    expect(splitByPrompt(tinyRows(20), Array(20).fill(0), { share: 0, seed: 0 }).validation).toEqual([]);
  });
});
