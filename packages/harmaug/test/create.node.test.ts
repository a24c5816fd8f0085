/** From a config to a provider: what is checked, where keys come from, and that they go nowhere else. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelConfig } from '../src/providers/config.ts';
import { createProvider } from '../src/providers/create.node.ts';
import { parseConfig } from '../src/text/schema.ts';
import { behaviours } from './loopback/behaviours.ts';
import { startLoopback } from './loopback/server.ts';
import { chatmlTemplate } from './loopback/toy-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-'));
});
afterAll(() => rm(folder, { recursive: true }));

const parse = (value: unknown) => parseConfig(modelConfig, value, 'model');
const create = (value: unknown, env: Record<string, string> = {}) =>
  Promise.resolve().then(() => createProvider(parse(value), { name: 'writer', folder, env }));
const ask = {
  id: 'row-1',
  input: { kind: 'chat', messages: [{ role: 'user', content: 'short' }] },
  maxTokens: 8,
} as const;
const server = { provider: 'openai', dialect: 'vllm', model: 'toy', endpoints: ['http://127.0.0.1:1/v1'] };

describe('a config', () => {
  test.each([
    [{ provider: 'opnai' }, /"provider" is wrong: expected one of 'openai' \| 'llama\.cpp'/],
    [{ ...server, dialect: 'vlm' }, /"dialect" is wrong: expected one of "vllm"\|"sglang"/],
    [{ ...server, apiKey: 'sk-1' }, /unknown key "apiKey"\. Did you mean "apiKeyEnv"\?/],
    [{ ...server, endpoints: ['localhost:8000'] }, /"endpoints\.0" is wrong: expected an address such as/],
    [{ ...server, endpoints: ['http://me:secret@host/v1'] }, /"endpoints\.0" must hold no key/],
    [{ ...server, endpoints: ['http://host/v1?key=1'] }, /must hold no key/],
    [{ ...server, concurrency: 0 }, /"concurrency"/],
    [{ ...server, model: undefined }, /"model" is missing, expected string/],
  ])('%o is refused', (value, message) => {
    expect(() => parse(value)).toThrow(message);
  });

  test('is refused where something is missing', async () => {
    await expect(create({ ...server, endpoints: undefined })).rejects.toThrow(/Model "writer": "endpoints" is missing/);
    await expect(create({ ...server, dialect: 'mistral' })).rejects.toThrow(
      'No API key for model "writer". Set MISTRAL_API_KEY, or name another variable as "apiKeyEnv".',
    );
    await expect(create({ ...server, apiKeyEnv: 'ACME_KEY' })).rejects.toThrow(/Set ACME_KEY/);
    await expect(create({ ...server, tokenizer: 'none' })).rejects.toThrow(
      /tokenizer_config\.json cannot be read \(ENOENT\)/,
    );
  });
});

describe('a provider', () => {
  test('has its template from a folder, and the Jinja file beside it has the last word', async () => {
    const loopback = await startLoopback(behaviours.completions);
    const { source, eosToken } = chatmlTemplate;
    const config = { chat_template: 'old', bos_token: null, eos_token: { content: eosToken } };
    await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    await writeFile(path.join(folder, 'chat_template.jinja'), source);
    const provider = await create({
      ...server,
      dialect: 'completions',
      endpoints: [`${loopback.url}/`],
      tokenizer: '.',
    });
    expect((await provider.generate(ask)).text).toBe('Fine.');
    expect(loopback.requests[0]).toMatchObject({
      prompt: '<|im_start|>user\nshort<|im_end|>\n<|im_start|>assistant\n',
    });
    await provider.dispose();
    await loopback.close();
  });

  test('sends its key to the server and to no file, error or description', async () => {
    const key = behaviours.deepseek.key;
    const loopback = await startLoopback(behaviours.deepseek, ({ number, response }) => {
      if (number > 1) response.writeHead(400).end(JSON.stringify({ error: { message: `Wrong key Bearer ${key}` } }));
      return number > 1;
    });
    const config = {
      ...server,
      dialect: 'deepseek',
      endpoints: [loopback.url],
      apiKeyEnv: 'ACME_KEY',
      record: 'calls.jsonl',
    };
    const provider = await create(config, { ACME_KEY: key });
    expect((await provider.generate(ask)).text).toBe('Fine.');
    const error = await provider.generate(ask).catch((error) => error);
    await provider.dispose();
    await loopback.close();
    expect(error.message).toMatch(/answered 400: Wrong key Bearer …/);
    const written = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
    expect(written.some((text) => text.includes('Fine.'))).toBe(true);
    for (const text of [...written, inspect(error, { depth: 10 }), JSON.stringify(provider.about)]) {
      expect(text).not.toContain(key);
    }
  });

  test('can be a script, or what was recorded', async () => {
    const scripted = await create({ provider: 'scripted', text: ['One.'], record: 'scripted.jsonl' }).catch(
      (error) => error,
    );
    expect(scripted.message).toMatch(/unknown key "record"/);
    const provider = await create({ provider: 'scripted', text: ['One.'] });
    expect((await provider.generate(ask)).text).toBe('One.');
    await expect(create({ provider: 'replay', file: 'none.jsonl' })).rejects.toThrow(/none\.jsonl/);
  });
});
