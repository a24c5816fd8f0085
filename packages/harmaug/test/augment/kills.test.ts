/** Nothing lost, nothing twice: the quick version of `scripts/check-kills.ts`. */
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeWorkplace } from './harness.node.ts';
import { runWithKills } from './kill-run.node.ts';

test('a run killed at random moments, with a fifth of its calls failing, makes the set of an undisturbed one', async () => {
  const workplace = makeWorkplace();
  try {
    const report = await runWithKills({ workplace, count: 6, kills: 4, between: 10, faultShare: 0.2, seed: 5 });
    expect(report.kills).toBe(4);
    expect(report.repeated).toBe(0);
    expect(report.disturbed.labels.length).toBeGreaterThan(20);
    expect(report.disturbed).toEqual(report.undisturbed);
  } finally {
    rmSync(workplace.folder, { recursive: true });
  }
}, 120_000);
