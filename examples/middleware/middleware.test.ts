/** The middlewares around mock models and real frameworks. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Guard } from '@harmaug/guard/node';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder, writeTinyGuard } from '../../packages/guard/test/tiny-guard.node.ts';
import { serveForTest } from '../../packages/harmaug/src/serve/serve.testing.node.ts';
import { guardMiddleware } from './ai-sdk.ts';
import { checkedChunks, toStream, UnsafeError } from './checked.ts';
import { guardBody as guardExpress } from './express.ts';
import { guardBody as guardFastify } from './fastify.ts';
import { guardBody as guardHono } from './hono.ts';
import { createChecked, streamChecked } from './openai-client.ts';
import { servedGuard } from './served-guard.ts';
import { wordsGuard } from './words-guard.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const SAFE = ['What a ', 'lovely day ', 'for a walk ', 'in the park', '!'];
const TURNS = ['What a ', 'lovely day ', 'to call you ', 'a stupid ', 'dog, and ', 'to say more ', 'of it'];
const REFUSAL = 'No.';

/** The words of a reply one by one; says how many were read. */
function source(words: readonly string[]) {
  const state = { read: 0, isCancelled: false };
  async function* words_(): AsyncGenerator<string> {
    try {
      for (const word of words) {
        state.read += 1;
        yield word;
      }
    } finally {
      state.isCancelled = state.read < words.length;
    }
  }
  return { state, words: words_() };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('a stream that is checked on its way', () => {
  it('passes whole when it is safe', async () => {
    expect(await collect(checkedChunks(wordsGuard(), 'Hello', source(SAFE).words, String))).toEqual(SAFE);
  });

  it('ends where it turns unsafe, with nothing of it passed on, and its source ends too', async () => {
    const { state, words } = source(TURNS);
    const passed: string[] = [];
    const reading = (async () => {
      for await (const word of checkedChunks(wordsGuard(), 'Hello', words, String)) passed.push(word);
    })();
    await expect(reading).rejects.toThrow(UnsafeError);
    expect(passed.join('')).toBe('What a lovely day to call you ');
    expect(state).toEqual({ read: 5, isCancelled: true });
  });

  it('holds the last chunks back until the end was checked', async () => {
    const late = ['What a ', 'stupid'];
    await expect(collect(checkedChunks(wordsGuard(), 'Hello', source(late).words, String))).rejects.toThrow(
      UnsafeError,
    );
  });
});

describe('the AI SDK', () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  };
  const stop = { unified: 'stop', raw: 'stop' } as const;
  type Stream = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'];
  type Part = Stream extends ReadableStream<infer Of> ? Of : never;

  function modelOf(words: readonly string[]) {
    const state = { isCancelled: false, read: 0 };
    const mock = new MockLanguageModelV4({
      doGenerate: {
        content: [{ type: 'text', text: words.join('') }],
        finishReason: stop,
        usage,
        warnings: [],
      },
      doStream: async () => {
        const parts: Part[] = [
          { type: 'stream-start', warnings: [] },
          { type: 'text-start', id: '1' },
          ...words.map((delta) => ({ type: 'text-delta', id: '1', delta }) as const),
          { type: 'text-end', id: '1' },
          { type: 'finish', finishReason: stop, usage },
        ];
        return {
          stream: new ReadableStream(
            {
              pull(stream) {
                const part = parts[state.read];
                state.read += 1;
                if (part) stream.enqueue(part);
                else stream.close();
              },
              cancel() {
                state.isCancelled = true;
              },
            },
            { highWaterMark: 0 },
          ),
        };
      },
    });
    const guard = wordsGuard();
    const model = wrapLanguageModel({ model: mock, middleware: guardMiddleware({ guard, refusal: REFUSAL }) });
    return { mock, model, state, guard };
  }

  it('generates what is safe, and knows what was asked', async () => {
    const { model, guard } = modelOf(SAFE);
    const { text, finishReason } = await generateText({ model, prompt: 'Hello' });
    expect([text, finishReason]).toEqual([SAFE.join(''), 'stop']);
    expect(guard.seen).toEqual([{ prompt: 'Hello' }, { prompt: 'Hello', response: SAFE.join('') }]);
  });

  it('refuses in place of an unsafe reply', async () => {
    const { text, finishReason } = await generateText({ model: modelOf(TURNS).model, prompt: 'Hello' });
    expect([text, finishReason]).toEqual([REFUSAL, 'content-filter']);
  });

  it('never asks the model what is unsafe', async () => {
    const { model, mock } = modelOf(SAFE);
    expect((await generateText({ model, prompt: 'you stupid dog' })).text).toBe(REFUSAL);
    expect(await collect(streamText({ model, prompt: 'you stupid dog' }).textStream)).toEqual([REFUSAL]);
    expect([...mock.doGenerateCalls, ...mock.doStreamCalls]).toEqual([]);
  });

  it('streams what is safe', async () => {
    const result = streamText({ model: modelOf(SAFE).model, prompt: 'Hello' });
    expect((await collect(result.textStream)).join('')).toBe(SAFE.join(''));
    expect(await result.finishReason).toBe('stop');
  });

  it('stops a stream when it turns unsafe, and the model with it', async () => {
    const { model, state } = modelOf(TURNS);
    const result = streamText({ model, prompt: 'Hello' });
    expect((await collect(result.textStream)).join('')).toBe(`What a lovely day to call you ${REFUSAL}`);
    expect(await result.finishReason).toBe('content-filter');
    expect(state).toMatchObject({ isCancelled: true, read: 7 }); // start, text-start, five words
  });
});

describe("OpenAI's client", () => {
  function clientOf(words: readonly string[]) {
    const calls: { stream?: boolean }[] = [];
    const state = { isAborted: false };
    const client = new OpenAI({
      apiKey: 'none',
      maxRetries: 0,
      fetch: async (_, init) => {
        const body = JSON.parse(String(init!.body)) as { stream?: boolean };
        calls.push(body);
        init!.signal?.addEventListener('abort', () => {
          state.isAborted = true;
        });
        const base = { id: 'chatcmpl-1', created: 1, model: 'mock' };
        if (!body.stream) {
          const message = { role: 'assistant', content: words.join(''), refusal: null };
          const choices = [{ index: 0, message, finish_reason: 'stop', logprobs: null }];
          return Response.json({ ...base, object: 'chat.completion', choices });
        }
        const events = words.map((content) => {
          const choices = [{ index: 0, delta: { content }, finish_reason: null }];
          return `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices })}\n\n`;
        });
        const bytes = toStream(source([...events, 'data: [DONE]\n\n']).words).pipeThrough(new TextEncoderStream());
        return new Response(bytes, { headers: { 'content-type': 'text/event-stream' } });
      },
    });
    return { client, calls, state };
  }
  const bodyOf = (content: string | OpenAI.ChatCompletionContentPart[]) => ({
    model: 'mock',
    messages: [{ role: 'user' as const, content }],
  });
  const body = bodyOf('Hello');
  const rude = bodyOf([{ type: 'text', text: 'you stupid dog' }]);

  it('gives safe replies, whole and streamed', async () => {
    const { client } = clientOf(SAFE);
    const completion = await createChecked(client, wordsGuard(), body);
    expect(completion.choices[0]!.message.content).toBe(SAFE.join(''));
    const chunks = await collect(streamChecked(client, wordsGuard(), body));
    expect(chunks.map(({ choices }) => choices[0]!.delta.content)).toEqual(SAFE);
  });

  it('throws at unsafe prompts before they are sent, and at unsafe replies', async () => {
    const { client, calls } = clientOf(TURNS);
    await expect(createChecked(client, wordsGuard(), rude)).rejects.toMatchObject({ where: 'prompt' });
    await expect(collect(streamChecked(client, wordsGuard(), rude))).rejects.toMatchObject({ where: 'prompt' });
    expect(calls).toEqual([]);
    await expect(createChecked(client, wordsGuard(), body)).rejects.toMatchObject({ where: 'response' });
  });

  it('ends the request when a stream turns unsafe', async () => {
    const { client, state } = clientOf(TURNS);
    await expect(collect(streamChecked(client, wordsGuard(), body))).rejects.toMatchObject({ where: 'response' });
    expect(state.isAborted).toBe(true);
  });
});

describe('Express, Hono and Fastify', () => {
  interface Chat {
    readonly prompt: string;
  }
  const promptOf = ({ prompt }: Chat) => prompt;
  const options = () => ({ guard: wordsGuard(), promptOf });
  const headers = { 'content-type': 'application/json' };
  const ask = async (url: string, prompt: string) => {
    const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ prompt }) });
    return [reply.status, await reply.json()];
  };

  const frameworks: Readonly<Record<string, () => Promise<string>>> = {
    async Express() {
      const app = express();
      app.post('/chat', express.json(), guardExpress(options()), (request, response) => {
        response.json({ reply: request.body.prompt.length });
      });
      const server = createServer(app);
      closing.push(() => server.close());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/chat`;
    },
    async Fastify() {
      const app = fastify();
      closing.push(() => app.close());
      app.post<{ Body: Chat }>('/chat', { preHandler: guardFastify(options()) }, async ({ body }) => ({
        reply: body.prompt.length,
      }));
      return `${await app.listen({ port: 0, host: '127.0.0.1' })}/chat`;
    },
  };

  it.each(Object.keys(frameworks))('%s answers what is safe and refuses the rest', async (name) => {
    const url = await frameworks[name]!();
    expect(await ask(url, 'Hello')).toEqual([200, { reply: 5 }]);
    expect(await ask(url, 'you stupid dog')).toEqual([400, { error: 'The prompt is unsafe.' }]);
  });

  it('Hono answers what is safe and refuses the rest', async () => {
    const app = new Hono();
    app.post('/chat', guardHono(options()), async (c) => c.json({ reply: (await c.req.json()).prompt.length }));
    const post = (prompt: string) =>
      app.request('/chat', { method: 'POST', headers, body: JSON.stringify({ prompt }) });
    expect(await (await post('Hello')).json()).toEqual({ reply: 5 });
    expect((await post('you stupid dog')).status).toBe(400);
  });
});

describe('a guard behind harmaug serve', () => {
  it('answers as one in this process, streams included', async () => {
    const folder = await writeTinyGuard(await temporaryFolder());
    const server = await serveForTest(folder);
    const local = await Guard.load(folder, { threads: 1 });
    closing.push(
      () => server.stop(0),
      () => local.dispose(),
    );
    const guard = servedGuard({ url: server.url });
    const request = { prompt: 'how do i bake a cake', response: 'my dog is a great friend' };
    const { score, ...rest } = await local.check(request);
    const answer = await guard.check(request);
    expect(answer).toMatchObject(rest);
    expect(answer.score).toBeCloseTo(score, 5);
    const stream = guard.stream({ prompt: request.prompt });
    expect(await stream.push(request.response)).toBeNull();
    expect(await stream.push('. '.repeat(64))).toMatchObject({ windows: expect.any(Number) });
    expect((await stream.end()).window.response![0]).toBe(0);
    await server.stop(0);
    await expect(guard.check(request)).rejects.toThrow();
  });
});
