/** `harmaug reward` as a loop in another program uses it, and beside a teacher. */
import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { openScorer } from '../src/scoring/open-scorer.node.ts';
import { harmaug } from './harmaug.node.ts';
import { behaviours } from './loopback/behaviours.ts';
import { type Loopback, startLoopback } from './loopback/server.ts';

let folder: string;
let server: Loopback;
const at = (name: string) => path.join(folder, name);
const bin = path.join(import.meta.dirname, '..', 'bin', 'harmaug.js');
const pairs = tinyRows(12).map(({ id, prompt, response = 'no thanks' }) => ({ id, prompt, response }));
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startLoopback(behaviours.vllm);
  await writeTinyStudent(at('guard'));
  await writeFile(at('pairs.jsonl'), lines(pairs));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const answersOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('harmaug reward', () => {
  test('gives each pair what the guard says of it, in order', async () => {
    const { exitCode, stdout, stderr } = await harmaug('reward', at('guard'), '--data', at('pairs.jsonl'));
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/12 lines; 12 texts, .* a second/)]);
    const scorer = await openScorer(at('guard'));
    const scores = await scorer.score(pairs);
    await scorer.dispose();
    const answers = answersOf(stdout);
    expect(answers.map(({ id }) => id)).toEqual(pairs.map(({ id }) => id));
    for (const [row, { reward }] of answers.entries()) expect(reward).toBeCloseTo(scores[row]!.score, 6);
  });

  test('names a line that is no request, answers the others and fails at the end', async () => {
    await writeFile(at('mixed.jsonl'), `quokka-canary\n${lines(pairs.slice(0, 1))}`);
    const { exitCode, stdout, stderr } = await harmaug('reward', at('guard'), '--data', at('mixed.jsonl'));
    expect(exitCode).toBe(1);
    expect(answersOf(stdout)).toEqual([
      { id: 'line 1', error: expect.stringMatching(/expected JSON/) },
      expect.objectContaining({ id: pairs[0]!.id }),
    ]);
    expect(stdout + stderr).not.toContain('quokka');
  });

  test('answers a program that waits for each reward before it asks again', async () => {
    const child = spawn(process.execPath, [bin, 'reward', at('guard')], { stdio: ['pipe', 'pipe', 'ignore'] });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    for (const pair of pairs.slice(0, 3)) {
      child.stdin.write(`${JSON.stringify(pair)}\n`);
      expect(JSON.parse((await answers.next()).value!)).toMatchObject({ id: pair.id, reward: expect.any(Number) });
    }
    child.stdin.end();
    expect((await answers.next()).done).toBe(true);
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  });

  test('stands beside a teacher: speed and agreement on the same pairs', async () => {
    const teacher = ['--beside', 'llama-guard-3-8b', '--endpoint', server.url, '--model', 'toy'];
    const argv = ['reward', at('guard'), '--data', at('pairs.jsonl'), ...teacher];
    const { exitCode, stdout } = await harmaug(...argv, '--json');
    expect(exitCode).toBe(0);
    const { guards } = JSON.parse(stdout);
    expect(guards).toMatchObject([
      { texts: 12, speedup: 1, mean_difference: 0 },
      { guard: 'llama-guard-3-8b', texts: 12, texts_per_second: expect.any(Number) },
    ]);
    expect((await harmaug(...argv)).stdout).toMatch(/llama-guard-3-8b +12/);
  });

  test('is told what is missing', async () => {
    const besides = await harmaug('reward', at('guard'), '--beside', at('guard'));
    expect(besides).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/--beside needs --data/) });
    const nothing = await harmaug('reward');
    expect(nothing.exitCode).toBe(2);
  });
});
