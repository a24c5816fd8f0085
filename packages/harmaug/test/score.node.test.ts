/** `harmaug score` as a user runs it: a server, a recipe, files. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { harmaug } from './harmaug.node.ts';
import { behaviours } from './loopback/behaviours.ts';
import { type Loopback, startLoopback } from './loopback/server.ts';

let folder: string;
let server: Loopback;
const at = (name: string) => path.join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-score-'));
  server = await startLoopback(behaviours.vllm);
  const rows = [
    { id: 'a', prompt: 'judge this rude text quokka-canary', source: 'mild' },
    { id: 'b', prompt: 'judge this text quokka-canary-b', label: 0 },
    { id: 'c', prompt: 'nothing to judge here' },
  ];
  await writeFile(at('rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('harmaug score', () => {
  const flags = () => ['--endpoint', server.url, '--model', 'toy', '--data', at('rows.jsonl')];

  test('labels what the teacher judges, and gives a reason for the rest', async () => {
    const { exitCode, stdout, stderr } = await harmaug('score', '--teacher', 'llama-guard-3-8b', ...flags(), '--json');
    expect([exitCode, stderr]).toEqual([0, expect.not.stringMatching(/quokka/)]);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ rows: 3, scored: 2, unsafe: 1, abstained: { 'verdict token missing': 1 } });
    const [a, b, c] = report.scores;
    expect(a).toMatchObject({ id: 'a', category: 'S1' });
    expect(a.soft_label).toBeCloseTo(0.8 / 0.95);
    expect(b.soft_label).toBeCloseTo(0.15 / 0.95);
    expect(b.log_odds).toBeCloseTo(Math.log(0.15 / 0.8));
    expect(c).toEqual({ id: 'c', reason: 'verdict token missing' });
    expect(stdout).not.toContain('quokka');
  });

  test('writes a file that its owner alone may read', async () => {
    const { exitCode, stdout } = await harmaug(
      'score',
      '--teacher',
      'llama-guard-3-8b',
      ...flags(),
      '--out',
      at('labels.jsonl'),
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/3 rows in .* s: 2 judged, 1 of them unsafe\n1 without a verdict: verdict token missing/);
    const lines = (await readFile(at('labels.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ id: 'a', source: 'mild', category: 'S1' });
    expect(lines[1]).toMatchObject({ id: 'b', label: 0 });
    expect(lines[2]).not.toHaveProperty('soft_label');
    expect((await stat(at('labels.jsonl'))).mode & 0o777).toBe(0o600);
  });

  test('takes a teacher from a recipe', async () => {
    const models = { guard: { provider: 'openai', dialect: 'vllm', model: 'toy', endpoints: [server.url] } };
    const one = { family: 'llama-guard-3-8b', model: 'guard' };
    const teachers = { one, mean: { family: 'average', of: [one, one], minimum: 2 } };
    await writeFile(at('recipe.yaml'), stringify({ models, teachers }));
    const data = ['--data', at('rows.jsonl'), '--json'];
    const { stdout } = await harmaug('score', '--teacher', at('recipe.yaml'), '--name', 'mean', ...data);
    expect(JSON.parse(stdout).scores[0].soft_label).toBeCloseTo(0.8 / 0.95);
    const unnamed = await harmaug('score', '--teacher', at('recipe.yaml'), ...data);
    expect(unnamed).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unnamed.stderr).toMatch(/has 2 teachers: name one with --name \(one, mean\)/);
  });

  test.each([
    [
      ['--teacher', 'lama-guard-1', '--model', 'x'],
      2,
      /Unknown family "lama-guard-1"\. Did you mean "llama-guard-1"\?/,
    ],
    [
      ['--teacher', 'wildguard', '--endpoint', 'http://127.0.0.1:9/v1', '--model', 'x'],
      1,
      /prompt of its own.*Use api: completions/,
    ],
    [['--teacher', 'llama-guard-1'], 2, /--model is missing/],
    [['--teacher', 'openai-moderation'], 1, /No API key for teacher "openai-moderation"\. Set OPENAI_API_KEY/],
    [['--teacher', './no-such-guard'], 1, /no-such-guard/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const result = await harmaug('score', ...argv, '--data', at('rows.jsonl'));
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
  });

  test('a server that fails ends the run with its cause and how far it came', async () => {
    const failing = await startLoopback(behaviours.vllm, ({ number, response }) => {
      if (number > 1) response.writeHead(400).end('{"error":{"message":"quokka-canary-b is bad"}}');
      return number > 1;
    });
    const argv = ['--endpoint', failing.url, '--model', 'toy', '--data', at('rows.jsonl'), '--concurrency', '1'];
    const { exitCode, stderr } = await harmaug('score', '--teacher', 'llama-guard-3-8b', ...argv);
    await failing.close();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/answered 400: … is bad\..* 1 of 3 rows were judged\./);
    expect(stderr).not.toContain('quokka');
  });
});

describe('harmaug evaluate', () => {
  const flags = () => ['--endpoint', server.url, '--model', 'toy', '--resamples', '20', '--json'];

  test('measures a teacher like any guard, without the rows it gives no verdict for', async () => {
    const labelled = [
      { id: 'a', prompt: 'judge this rude text quokka-canary', label: 1 },
      { id: 'b', prompt: 'judge this text quokka-canary-b', label: 0 },
      { id: 'c', prompt: 'nothing to judge here', label: 1 },
    ];
    await writeFile(at('labelled.jsonl'), labelled.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const files = ['--data', at('labelled.jsonl'), '--save-scores', at('saved.jsonl')];
    const { exitCode, stdout } = await harmaug('evaluate', '--guard', 'llama-guard-3-8b', ...flags(), ...files);
    expect(exitCode).toBe(0);
    const [set] = JSON.parse(stdout).sets;
    expect(set).toMatchObject({ rows: 2, unsafe: 1, skipped: { 'verdict token missing': 1 } });
    expect(set.metrics.auprc.value).toBe(1);
    const saved = (await readFile(at('saved.jsonl'), 'utf8')).trim().split('\n');
    expect(saved.map((line) => JSON.parse(line).id)).toEqual(['a', 'b']);
  });

  test('says which flag a teacher lacks', async () => {
    const { exitCode, stderr } = await harmaug('evaluate', '--guard', 'wildguard', '--data', at('rows.jsonl'));
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--model is missing')]);
  });
});
