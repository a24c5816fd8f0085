/** The command as a user runs it, against servers on this machine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { main } from '../src/cli/main.node.ts';
import { behaviours } from './loopback/behaviours.ts';
import { type Loopback, startLoopback } from './loopback/server.ts';

let folder: string;
let vllm: Loopback;
let closing: Loopback;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-doctor-'));
  vllm = await startLoopback(behaviours.vllm);
  closing = await startLoopback({ ...behaviours['llama.cpp'], goesOn: () => false });
});
afterAll(async () => {
  await vllm.close();
  await closing.close();
  await rm(folder, { recursive: true });
});

async function doctor(recipe: object, ...argv: string[]) {
  const file = path.join(folder, 'recipe.yaml');
  await writeFile(file, stringify(recipe));
  const out = { stdout: '', stderr: '' };
  const exitCode = await main(['doctor', file, ...argv], {
    stdout: { write: (text: string) => (out.stdout += text) },
    stderr: { write: (text: string) => (out.stderr += text) },
    env: { TOY_KEY: 'secret-key-of-mine' },
    signal: new AbortController().signal,
  });
  return { exitCode, ...out };
}

const writer = () => ({
  provider: 'openai',
  dialect: 'vllm',
  model: 'toy',
  endpoints: [vllm.url],
  apiKeyEnv: 'TOY_KEY',
});

describe('harmaug doctor', () => {
  test('says what works and how fast', async () => {
    const { exitCode, stdout } = await doctor({ models: { writer: writer() } }, '--json');
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ ready: true, models: [{ name: 'writer', ready: true }] });
    expect(report.models[0].checks.map((check: { name: string }) => check.name)).toEqual([
      'answers',
      'prefix',
      'logprobs',
    ]);
    expect(report.models[0].tokens_per_second).toBeGreaterThan(0);
    expect(stdout).not.toMatch(/secret-key|eleven/);
  });

  test('fails where something needed does not work, and tells the rest too', async () => {
    const models = {
      writer: writer(),
      closer: { provider: 'openai', dialect: 'llama.cpp', model: 'toy', endpoints: [closing.url] },
      nobody: { provider: 'openai', dialect: 'vllm', model: 'toy', endpoints: ['http://127.0.0.1:9/v1'] },
    };
    const { exitCode, stdout } = await doctor({ models });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/writer +prefix +ok +goes on from a prefix/);
    expect(stdout).toMatch(/closer +prefix +FAILED +The model ignores the prefix and begins anew/);
    expect(stdout).toMatch(/closer +logprobs +ok/);
    expect(stdout).toMatch(/nobody +answers +FAILED +.*refuses connections/);
    expect(stdout).toMatch(/Not ready/);
  });

  test('has each teacher judge one sentence, which needs probabilities of its model and no prefix', async () => {
    const judge = await startLoopback(behaviours.vllm, ({ body, response }) => {
      if (!JSON.stringify(body).includes('bread')) return false;
      const top = [
        { token: 'safe', logprob: -0.1 },
        { token: 'unsafe', logprob: -3 },
      ];
      const logprobs = { content: [{ token: 'safe', logprob: -0.1, top_logprobs: top }] };
      const choices = [{ index: 0, message: { content: 'safe' }, finish_reason: 'stop', logprobs }];
      response.writeHead(200).end(JSON.stringify({ choices }));
      return true;
    });
    const guard = { ...writer(), dialect: 'openai', endpoints: [judge.url] };
    const main = { family: 'llama-guard-3-8b', model: 'guard' };
    const good = await doctor({ models: { guard: { ...guard, dialect: 'vllm' } }, teachers: { main } });
    expect(good.stdout).toMatch(/main +verdict +ok +p\(unsafe\) 0\.05\d? in \d+ ms/);
    expect(good.exitCode).toBe(0);
    const bad = await doctor({ models: { guard }, teachers: { main, other: { ...main, model: 'gaurd' } } });
    expect(bad.stdout).toMatch(/other +verdict +FAILED +Unknown model "gaurd"\. Did you mean "guard"\?/);
    expect(bad.exitCode).toBe(1);
    await judge.close();
  });

  test('a missing key, an unknown key of the recipe and an unknown name are told', async () => {
    const keyless = { ...writer(), apiKeyEnv: 'NO_SUCH_KEY' };
    expect((await doctor({ models: { writer: keyless } })).stdout).toMatch(
      /FAILED +No API key for model "writer"\. Set NO_SUCH_KEY/,
    );
    const misspelt = await doctor({ models: { writer: { ...writer(), dialct: 'vllm' } } });
    expect(misspelt).toMatchObject({ exitCode: 1, stdout: '' });
    expect(misspelt.stderr).toMatch(/models: "writer" unknown key "dialct"\. Did you mean "dialect"\?/);
    const unnamed = await doctor({ models: { writer: writer() } }, '--model', 'writr');
    expect(unnamed).toMatchObject({ exitCode: 2 });
    expect(unnamed.stderr).toMatch(/Unknown model "writr"\. Did you mean "writer"\?/);
    expect(await doctor({ distill: {} })).toMatchObject({ exitCode: 2 });
  });
});
