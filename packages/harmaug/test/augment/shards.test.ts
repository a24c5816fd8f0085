/** Two shards run apart and merged equal one run. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { harmaug, type MildRun, rowsOf, startMildRun } from './harness.node.ts';

let mild: MildRun;
beforeAll(async () => {
  mild = await startMildRun();
  await mild.runAll(mild.mild, 'whole');
});
afterAll(() => mild.close());

describe('shards', () => {
  test('run apart and merged, as often as there are rounds, make one run’s set', async () => {
    let merged: string | null = null;
    for (let turn = 0; turn < 6; turn++) {
      const parts = [];
      for (const part of ['1', '2']) {
        const run = mild.at(`turn-${turn}-part-${part}`);
        if (merged !== null)
          expect(await harmaug('merge', mild.mild, '--out', run, '--from', merged)).toMatchObject({ exitCode: 0 });
        const { exitCode, stdout } = await harmaug(
          'generate',
          mild.mild,
          '--out',
          run,
          '--shard',
          `${part}/2`,
          '--json',
        );
        expect(exitCode).toBe(0);
        parts.push({ run, report: JSON.parse(stdout) });
      }
      const next = mild.at(`turn-${turn}`);
      const { stdout } = await harmaug(
        'merge',
        mild.mild,
        '--out',
        next,
        '--from',
        ...parts.map(({ run }) => run),
        '--json',
      );
      merged = next;
      const [generate] = JSON.parse(stdout).stages;
      expect(generate.calls.made).toBe(0);
      if (turn === 0) {
        expect(parts.map(({ report }) => report.stopped)).toEqual(['shard', 'shard']);
        expect(parts.every(({ report }) => report.calls.made > 4)).toBe(true);
      }
      if (generate.complete) break;
    }
    for (const stage of ['respond', 'label']) {
      const runs: string[] = [];
      for (const part of ['1', '2']) {
        const run: string = mild.at(`${stage}-part-${part}`);
        await harmaug('merge', mild.mild, '--out', run, '--from', merged!);
        const { exitCode, stdout } = await harmaug(stage, mild.mild, '--out', run, '--shard', `${part}/2`, '--json');
        expect([exitCode, JSON.parse(stdout).calls.made > 10]).toEqual([0, true]);
        runs.push(run);
      }
      merged = mild.at(`${stage}-merged`);
      const { stdout } = await harmaug('merge', mild.mild, '--out', merged, '--from', ...runs, '--json');
      expect(JSON.parse(stdout).stages.at(-1)).toMatchObject({ stage, complete: true, calls: { made: 0 } });
    }
    expect(rowsOf(merged!)).toEqual(rowsOf(mild.at('whole')));
  });

  test.each([['0/2'], ['3/2'], ['1'], ['a/b']])('%s is none', async (shard) => {
    const result = await harmaug('generate', mild.mild, '--out', mild.at('no'), '--shard', shard);
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/--shard: expected such as 1\/4/) });
  });
});
