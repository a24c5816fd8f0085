/** One suite over every provider: each dialect against a server that behaves as the real one does, and the scripted one. */
import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type DialectName, dialects } from '../src/providers/openai/dialects.ts';
import { createOpenAiProvider, type OpenAiOptions } from '../src/providers/openai/provider.ts';
import { createTransport } from '../src/providers/openai/transport.node.ts';
import type { GenerateRequest, Provider } from '../src/providers/provider.ts';
import { readPoint } from '../src/providers/read-point.ts';
import { recordProvider, replayProvider } from '../src/providers/recorder.node.ts';
import { scriptedProvider } from '../src/providers/scripted.ts';
import { textOf } from '../src/templates/segments.ts';
import { type Behaviour, behaviours } from './loopback/behaviours.ts';
import { startLoopback } from './loopback/server.ts';
import { chatml, chatmlTemplate, write } from './loopback/toy-model.ts';
import { describeProvider } from './provider-suite.ts';

async function open(name: DialectName, api: Api, more: Partial<OpenAiOptions> = {}): Promise<Provider> {
  const behaviour: Behaviour = behaviours[name];
  const server = await startLoopback(behaviour);
  const provider = createOpenAiProvider({
    dialect: dialects[name],
    api,
    endpoints: [server.url],
    model: 'toy',
    transport: createTransport({ connections: 16 }),
    concurrency: 16,
    ...(behaviour.key ? { apiKey: behaviour.key, keyName: 'TOY_KEY' } : {}),
    ...(api === 'completions' ? { template: chatmlTemplate } : {}),
    ...more,
  });
  return {
    ...provider,
    dispose: async () => {
      await provider.dispose();
      await server.close();
    },
  };
}

for (const [name, dialect] of Object.entries(dialects)) {
  for (const api of dialect.apis) {
    describeProvider(`${name}, ${api}`, () => open(name as DialectName, api), {
      goesOnFromPrefix: api === 'completions' || dialect.prefix !== 'none',
      hasLogprobs: dialect.maxTopLogprobs > 0,
    });
  }
}

/** The toy model without a server. */
function toyProvider(): Provider {
  const prompt = (request: Pick<GenerateRequest, 'input' | 'prefix'>) => {
    if (request.input.kind === 'text') return textOf(request.input.prompt);
    return chatml(request.input.messages, true) + (request.prefix ?? '');
  };
  return scriptedProvider({
    text: (request) => {
      const { text, finish, tokens, promptTokens } = write(prompt(request), request.maxTokens, request.stop);
      return { text, finishReason: finish, usage: { promptTokens, completionTokens: tokens.length } };
    },
    probabilities: (request) => {
      const tokens = write(prompt(request), request.maxTokens).tokens.map(({ token, top }) => ({
        text: token,
        logprob: Math.log(top[0]![1]),
        top: top.map(([text, p]) => ({ text, logprob: Math.log(p) })),
      }));
      return readPoint(tokens, request);
    },
  });
}

describeProvider('scripted', async () => toyProvider(), { canFail: false });

describe('a recording', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'harmaug-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const request = {
    id: 'row-1',
    input: { kind: 'chat', messages: [{ role: 'user', content: 'Hello' }] },
    maxTokens: 8,
  } as const;

  test('answers as the model did, whatever the ids', async () => {
    const file = path.join(folder, 'calls.jsonl');
    const recorder = recordProvider(toyProvider(), file);
    const said = await recorder.generate(request);
    const point = { after: '', positions: 'first' } as const;
    const asked = { ...request, point, candidates: ['One'], match: 'exact' } as const;
    const likely = await recorder.nextTokens(asked);
    await recorder.dispose();
    const replayer = replayProvider(file);
    expect(await replayer.generate({ ...request, id: 'row-9' })).toEqual(said);
    expect(await replayer.nextTokens(asked)).toEqual(likely);
    const other = replayer.generate({ ...request, maxTokens: 9 });
    await expect(other).rejects.toThrow(`Call row-1: ${file} has no answer to it.`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('that was cut off is good up to there, and one that is damaged is refused', async () => {
    const file = path.join(folder, 'cut.jsonl');
    const recorder = recordProvider(toyProvider(), file);
    const said = await recorder.generate(request);
    await recorder.dispose();
    await appendFile(file, '{"key":"abc","ans');
    expect(await replayProvider(file).generate(request)).toEqual(said);
    await appendFile(file, '\n{}\n');
    expect(() => replayProvider(file)).toThrow(/cut\.jsonl line 2 is no recorded call/);
  });

  test('may be completions made elsewhere: by prompt, and a pool for any other call', async () => {
    const file = path.join(folder, 'completions.jsonl');
    const lines = [{ prompt: 'Hello', text: 'Good day.' }, { text: 'One.' }, { text: 'Two.' }];
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const replayer = replayProvider(file);
    const ask = async (content: string, seed: number) => {
      const input = { kind: 'chat', messages: [{ role: 'user', content }] } as const;
      return (await replayer.generate({ id: 'row', input, maxTokens: 8, seed })).text;
    };
    expect(await ask(' Hello\n', 1)).toBe('Good day.');
    const drawn = await Promise.all(Array.from({ length: 20 }, (_, seed) => ask('Anything', seed)));
    expect(new Set(drawn)).toEqual(new Set(['One.', 'Two.']));
    expect(await ask('Anything', 3)).toBe(drawn[3]);
  });
});
