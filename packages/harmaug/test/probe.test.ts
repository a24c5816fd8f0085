/** Servers that cannot do what is needed are found out, with the reason and what to do. */
import { afterEach, describe, expect, test } from 'vitest';
import { dialects } from '../src/providers/openai/dialects.ts';
import { createOpenAiProvider } from '../src/providers/openai/provider.ts';
import { createTransport } from '../src/providers/openai/transport.node.ts';
import { probeProvider, requireProvider } from '../src/providers/probe.ts';
import type { Provider } from '../src/providers/provider.ts';
import { scriptedProvider } from '../src/providers/scripted.ts';
import { type Behaviour, behaviours } from './loopback/behaviours.ts';
import { startLoopback } from './loopback/server.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function open(name: keyof typeof behaviours, change: Partial<Behaviour> = {}): Promise<Provider> {
  const behaviour: Behaviour = { ...behaviours[name], ...change };
  const server = await startLoopback(behaviour);
  const provider = createOpenAiProvider({
    dialect: dialects[name],
    api: dialects[name].apis[0],
    endpoints: [server.url],
    model: 'toy',
    transport: createTransport({ connections: 4 }),
    concurrency: 4,
    apiKey: (behaviours[name] as Behaviour).key,
  });
  opened.push(
    () => provider.dispose(),
    () => server.close(),
  );
  return provider;
}

const needs = { prefix: true, logprobs: true };

describe('a server', () => {
  test.each(['vllm', 'sglang', 'llama.cpp', 'ollama', 'tgi', 'deepseek', 'openrouter', 'together'] as const)(
    'as %s passes',
    async (name) => {
      const { checks, latencyMs } = await requireProvider(await open(name), needs);
      expect(checks.map(({ name, isPassed }) => [name, isPassed])).toEqual([
        ['answers', true],
        ['prefix', true],
        ['logprobs', true],
      ]);
      expect(latencyMs).toBeGreaterThan(0);
    },
  );

  test('as mistral passes for prefixes, and gives no probabilities', async () => {
    const provider = await open('mistral');
    await requireProvider(provider, { prefix: true });
    await expect(requireProvider(provider, needs)).rejects.toThrow(
      /mistral gives none.*Ask a server that gives logprobs/,
    );
  });

  test('that closes the prefix and begins anew is refused', async () => {
    const provider = await open('llama.cpp', { goesOn: () => false });
    await expect(requireProvider(provider, needs)).rejects.toThrow(
      'Model "toy" cannot do what is needed. The model ignores the prefix and begins anew. Use its completions',
    );
  });

  test('of a version that repeats the prefix passes, where the dialect knows of it', async () => {
    await requireProvider(await open('llama.cpp', { repeatsPrefix: true }), needs);
  });

  test('that leaves the prefix out is refused, though its reply may begin like one', async () => {
    const provider = await open('mistral', { goesOn: () => false });
    await expect(requireProvider(provider, { prefix: true })).rejects.toThrow(/does not begin with the prefix/);
  });

  test('that repeats the prefix is refused where its dialect does not say so', async () => {
    const provider = await open('vllm', { repeatsPrefix: true });
    await expect(requireProvider(provider, { prefix: true })).rejects.toThrow(/writes the prefix again/);
  });

  test('that sends no probabilities is refused', async () => {
    const provider = await open('vllm', { logprobs: { chat: null, completions: null } });
    await expect(requireProvider(provider, { logprobs: true })).rejects.toThrow(
      /no probabilities, the reply came without them/,
    );
  });

  test('that does not answer fails at that, and nothing else is tried', async () => {
    const provider = await open('openai', { key: 'another key' });
    const { checks } = await probeProvider(provider, { logprobs: true });
    expect(checks).toHaveLength(1);
    expect(checks[0]).toMatchObject({ name: 'answers', isPassed: false });
    expect(checks[0]!.finding).toMatch(/answered 401/);
  });
});

test('answers too short to tell are told as such', async () => {
  const provider = scriptedProvider({ text: ({ prefix }) => (prefix ? ' no idea' : 'Fine.') });
  await expect(requireProvider(provider, { prefix: true })).rejects.toThrow(/its answers are too short/);
});

test('probabilities that are no numbers do not pass', async () => {
  const provider = scriptedProvider({ text: 'One two three', probabilities: { logprobs: ['not-a-number'] } });
  await expect(requireProvider(provider, { logprobs: true })).rejects.toThrow(
    /that of the token it wrote is no number/,
  );
});
