/** `harmaug calibrate` as a user runs it: what it writes is what evaluating uses. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('student'));
  const lines = (count: number, seed: number) =>
    tinyRows(count, seed)
      .map(({ id, ...row }) => `${JSON.stringify({ ...row, id: `${seed}-${id}`, soft_label: row.softLabel })}\n`)
      .join('');
  await writeFile(at('train.jsonl'), lines(300, 1));
  await writeFile(at('rows.jsonl'), lines(400, 2));
  await writeFile(at('few.jsonl'), lines(12, 3));
  const settings = ['--epochs', '2', '--batch-size', '16', '--learning-rate', '0.003', '--validation-share', '0'];
  const files = ['--student', at('student'), '--train', at('train.jsonl'), '--out', at('guard')];
  expect((await harmaug('distill', ...files, ...settings, '--warmup-steps', '2')).exitCode).toBe(0);
});
afterAll(() => rm(folder, { recursive: true }));

async function evaluation() {
  const argv = ['--guard', at('guard'), '--data', at('rows.jsonl'), '--resamples', '10', '--json'];
  return JSON.parse((await harmaug('evaluate', ...argv)).stdout).sets[0];
}

describe('harmaug calibrate', () => {
  test('writes a threshold and a temperature that evaluating uses, again and again the same', async () => {
    const before = await evaluation();
    expect(before.threshold).toBe(0.5);
    await writeFile(at('guard/guard.json'), '{ "normalise": true, "temperature": 7 }');
    const argv = ['calibrate', at('guard'), '--data', at('rows.jsonl'), '--fpr', '0.1', '--json'];
    const first = JSON.parse((await harmaug(...argv)).stdout);
    expect(first.fpr).toBeLessThanOrEqual(0.1);
    expect(first.held_out.ece).toBeLessThanOrEqual(first.held_out.ece_before + 0.02);
    const saved = JSON.parse(await readFile(at('guard/guard.json'), 'utf8'));
    expect(saved).toEqual({ normalise: true, threshold: first.threshold, temperature: first.temperature });
    const after = await evaluation();
    expect(after.threshold).toBe(first.threshold);
    expect(after.metrics.auprc.value).toBeCloseTo(before.metrics.auprc.value, 10);
    expect(after.metrics.ece.value).not.toBe(before.metrics.ece.value);
    expect(JSON.parse((await harmaug(...argv)).stdout)).toEqual(first); // from the model's own log-odds
  });

  test.each([
    [['--data', 'few.jsonl'], 1, /at least 20 rows of each class/],
    [['--data', 'rows.jsonl', '--fpr', '1'], 2, /--fpr: expected a rate/],
    [[], 2, /--data is missing/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const given = argv.map((part) => (part.endsWith('.jsonl') ? at(part) : part));
    const result = await harmaug('calibrate', at('guard'), ...given);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  test('refuses settings that are none, before it scores', async () => {
    await writeFile(at('guard/guard.json'), '{ "treshold": 0.5 }');
    const result = await harmaug('evaluate', '--guard', at('guard'), '--data', at('rows.jsonl'));
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/guard\.json: unknown "treshold"/) });
  });
});
