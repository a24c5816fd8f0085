/** `harmaug check` as a user runs it, on a tiny guard that `harmaug export` wrote. */
import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { readScores } from '../src/evaluate/scores-file.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('guard'));
  const rows = tinyRows(20).map((row) => `${JSON.stringify(row)}\n`);
  await writeFile(at('rows.jsonl'), rows.join(''));
});
afterAll(() => rm(folder, { recursive: true }));

describe('harmaug check', () => {
  test('says what is missing before there is anything to check with', async () => {
    const { exitCode, stderr } = await harmaug('check', at('guard'), '--prompt', 'what a plan');
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/Export it first: harmaug export /)]);
    expect(await harmaug('export', at('guard'), '--dtype', 'fp32')).toMatchObject({ exitCode: 0 });
  });

  test('judges an exchange', async () => {
    const argv = ['--prompt', 'what a stupid hat', '--response', 'no thanks'];
    const { stdout } = await harmaug('check', at('guard'), ...argv, '--json');
    const { answers } = JSON.parse(stdout);
    expect(answers).toEqual([
      {
        id: 'prompt',
        score: expect.any(Number),
        verdict: expect.stringMatching(/^(un)?safe$/),
        threshold: 0.5,
        window: { prompt: [0, 17], response: [0, 9] },
        windows: 1,
      },
    ]);
    const text = await harmaug('check', at('guard'), ...argv);
    expect(text.stdout).toMatch(/prompt +0\.\d+ +(un)?safe +— +prompt 0-17, response 0-9 +1 +—/);
    expect(text.stdout).not.toContain('stupid');
  });

  test('gives the rows of a file the scores that evaluating gives them', async () => {
    const { stdout } = await harmaug('check', at('guard'), '--data', at('rows.jsonl'), '--json', '--literal');
    const saved = ['--save-scores', at('scores.jsonl'), '--resamples', '10'];
    await harmaug('evaluate', '--guard', at('guard'), '--data', at('rows.jsonl'), ...saved);
    const rows = await readScores(at('scores.jsonl'));
    const answers = JSON.parse(stdout).answers as { id: string; score: number }[];
    expect(answers.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    answers.forEach(({ score }, row) => {
      expect(score).toBeCloseTo(rows[row]!.score, 5);
    });
  });

  test('reads stdin, one text a line', () => {
    const bin = path.join(import.meta.dirname, '../bin/harmaug.js');
    const { status, stdout } = spawnSync(process.execPath, [bin, 'check', at('guard'), '--json', '--threshold', '0'], {
      input: 'what a nice plan\n\nwhat a stupid plan\r\n',
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout).answers).toMatchObject([
      { id: 'line 1', verdict: 'unsafe', window: { prompt: [0, 16] } },
      { id: 'line 3', verdict: 'unsafe', window: { prompt: [0, 18] } },
    ]);
  });

  test.each([
    [['--response', 'yes'], 2, /--response needs --prompt/],
    [['--prompt', 'yes', '--data', 'x.jsonl'], 2, /Give --prompt or --data, not both/],
    [['--prompt', 'yes', '--dtype', 'int3'], 2, /dtype/],
    [['--prompt', 'yes', '--dtype', 'q4'], 1, /has no onnx\/model_q4\.onnx/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const result = await harmaug('check', at('guard'), ...argv);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
  });
});
