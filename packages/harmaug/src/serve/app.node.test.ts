/** The server without a port: a Request in, a Response out. */
import { rm } from 'node:fs/promises';
import { Guard } from '@harmaug/guard/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeTinyGuard } from '../../../guard/test/tiny-guard.node.ts';
import { type App, createApp } from './app.node.ts';
import { keyCheck } from './keys.node.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.node.ts';
import { testLimits } from './serve.testing.node.ts';

let folder: string;
let guard: Guard;
const lines: string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  guard = await Guard.load(await writeTinyGuard(folder, { categories: ['insults', 'pranks'] }), { threads: 1 });
});
afterAll(async () => {
  await guard.dispose();
  await rm(folder, { recursive: true });
});

function appOf({
  keys = [],
  isStopping = false,
  fails,
}: {
  keys?: string[];
  isStopping?: boolean;
  fails?: Error;
} = {}) {
  return createApp({
    name: 'tiny',
    judge: {
      categories: guard.categories,
      isReady: true,
      check: async (requests, signal) => {
        if (fails) throw fails;
        return guard.checkMany(requests, { signal });
      },
    },
    limits: testLimits,
    keys: () => keyCheck(keys),
    metrics: createMetrics(() => ({ waiting: 0, inWork: 0, ready: 1, lost: 0 })),
    log: createLog('requests', (line) => lines.push(line)),
    isStopping: () => isStopping,
  });
}

async function ask(app: App, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await app.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
  return { status: response.status, headers: response.headers, json: (await response.json()) as any };
}

describe('POST /v1/moderations', () => {
  it('answers a string, strings and parts as the guard does', async () => {
    const texts = ['what a lovely plan', 'you are a stupid dog'];
    const answers = await guard.checkMany(texts.map((prompt) => ({ prompt })));
    const app = appOf();
    const one = await ask(app, '/v1/moderations', { input: texts[0], model: 'omni-moderation-latest' });
    expect(one.json).toMatchObject({ id: expect.stringMatching(/^modr-/), model: 'tiny', results: [{}] });
    const many = await ask(app, '/v1/moderations', { input: texts });
    many.json.results.forEach((result: { category_scores: { unsafe: number } }, row: number) => {
      expect(result.category_scores.unsafe).toBeCloseTo(answers[row]!.score, 5);
    });
    const [{ category_scores: scores, categories }] = one.json.results;
    expect(Object.keys(scores)).toEqual(['unsafe', 'insults', 'pranks']);
    expect(scores[answers[0]!.category!]).toBe(scores.unsafe);
    expect(Object.values(categories).every((value) => typeof value === 'boolean')).toBe(true);
    const parts = { input: [{ type: 'text', text: texts[0] }] };
    expect((await ask(app, '/v1/moderations', parts)).json.results).toEqual(one.json.results);
  });

  it('refuses images with the reason', async () => {
    const body = { input: [{ type: 'image_url', image_url: { url: 'data:,' } }] };
    const { status, json } = await ask(appOf(), '/v1/moderations', body);
    expect([status, json.error.type, json.error.param]).toEqual([400, 'invalid_request_error', 'input.0']);
    expect(json.error.message).toMatch(/is an image\. This guard reads text/);
  });
});

describe('POST /v1/check and /v1/score', () => {
  it('give what Guard.check gives, alone and in lists', async () => {
    const items = [{ prompt: 'how do i bake a cake', response: 'you are lazy' }, { prompt: 'my dog is great' }];
    const answers = await guard.checkMany(items);
    const app = appOf();
    const { score: _, ...rest } = answers[0]!;
    const single = await ask(app, '/v1/check', items[0]);
    expect(single.json).toMatchObject({ model: 'tiny', ...rest });
    expect(single.json.score).toBeCloseTo(answers[0]!.score, 5);
    const { results } = (await ask(app, '/v1/check', { items })).json;
    expect(results.map(({ window }: { window: unknown }) => window)).toEqual(answers.map(({ window }) => window));
    const { scores } = (await ask(app, '/v1/score', { items })).json;
    scores.forEach((score: number, row: number) => {
      expect(score).toBeCloseTo(answers[row]!.score, 5);
    });
  });

  it('take characters of every kind, lone surrogates included', async () => {
    const body = '{"items":[{"prompt":"\\ud83d"},{"prompt":"\\u0000 \\ufeff 漢字 🎂"},{"prompt":""}]}';
    expect((await ask(appOf(), '/v1/score', body)).json.scores).toHaveLength(3);
  });
});

describe('a request that is not right', () => {
  const long = 'x'.repeat(testLimits.maxCharacters + 1);
  const cases: readonly (readonly [string, string, unknown, number, RegExp])[] = [
    ['no JSON', '/v1/check', '{"prompt": "cake', 400, /^The body is no JSON\.$/],
    ['another form', '/v1/check', '[]', 400, /^The body is wrong: expected \{"prompt", "response"\?\} or/],
    ['a key missing', '/v1/score', {}, 400, /^"items" is missing, expected array\.$/],
    [
      'a misspelt key',
      '/v1/check',
      { prompt: 'a', reponse: 'b' },
      400,
      /^The body has an unknown key\. Did you mean "response"\?$/,
    ],
    [
      'a misspelt key in a list',
      '/v1/score',
      { items: [{ prompt: 'a', reponse: 'b' }] },
      400,
      /Did you mean "response"\?$/,
    ],
    ['an unknown key', '/v1/score', { items: [], cake: 1 }, 400, /^"items" is empty/],
    [
      'another type',
      '/v1/score',
      { items: [{ prompt: 7 }] },
      400,
      /^"items.0.prompt" is wrong: expected string, got n/,
    ],
    ['a long text', '/v1/check', { prompt: long }, 400, /^"prompt" is too long: at most 2000 characters/],
    ['a long part', '/v1/moderations', { input: [{ type: 'text', text: long }] }, 400, /^"input.0.text" is too long/],
    ['many items', '/v1/moderations', { input: Array(17).fill('a') }, 400, /^"input" has too many: at most 16/],
    ['no input', '/v1/moderations', {}, 400, /^"input" is missing or wrong: expected a string/],
    ['other input', '/v1/moderations', { input: 7 }, 400, /^"input" is missing or wrong: expected a string/],
    ['a large body', '/v1/check', { prompt: 'x'.repeat(30_000) }, 413, /at most 20000 bytes/],
    ['no such path', '/v1/cakes', {}, 404, /No such path/],
    ['another method', '/healthz', {}, 405, /another method/],
  ];
  it.each(cases)('%s', async (_, path, body, status, message) => {
    const reply = await ask(appOf(), path, body);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatchObject({ type: 'invalid_request_error', message: expect.stringMatching(message) });
  });

  it('of another content type, which pages of other sites can send', async () => {
    const reply = await ask(appOf(), '/v1/check', { prompt: 'a' }, { 'content-type': 'text/plain' });
    expect(reply.status).toBe(415);
  });

  it('without a length, and too large', async () => {
    let left = 100;
    const body = new ReadableStream({
      pull(stream) {
        left -= 1;
        if (left < 0) stream.close();
        else stream.enqueue(new Uint8Array(1000).fill(32));
      },
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' };
    const { status } = await appOf().request('/v1/check', init as RequestInit);
    expect(status).toBe(413);
    expect(left).toBeGreaterThan(70); // it did not read on
  });
});

describe('keys', () => {
  it('are asked for on every path but those that say nothing', async () => {
    const app = appOf({ keys: ['a-key-of-ours'] });
    const body = { prompt: 'a' };
    const wrong = await ask(app, '/v1/check', body, { authorization: 'Bearer a-key-of-yours' });
    expect([wrong.status, wrong.json.error.code]).toEqual([401, 'invalid_api_key']);
    expect(JSON.stringify(wrong.json)).not.toContain('yours');
    expect((await ask(app, '/v1/check', body)).status).toBe(401);
    expect((await ask(app, '/v1/check', body, { authorization: 'Bearer a-key-of-ours' })).status).toBe(200);
    expect((await app.request('/metrics')).status).toBe(401);
    for (const path of ['/healthz', '/readyz', '/openapi.json']) expect((await app.request(path)).status).toBe(200);
  });
});

describe('a fault of ours', () => {
  it('is a 500 whose message and log line hold no more than its class', async () => {
    lines.length = 0;
    const { status, json } = await ask(appOf({ fails: new TypeError('cake recipe') }), '/v1/check', { prompt: 'a' });
    expect([status, json.error.type]).toEqual([500, 'server_error']);
    expect(JSON.stringify(json) + lines.join('\n')).not.toContain('recipe');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'fault', name: 'TypeError' },
      { status: 500 },
    ]);
  });
});

describe('GET', () => {
  it('/readyz is 503 while the server stops, and connections are not kept', async () => {
    const response = await appOf({ isStopping: true }).request('/readyz');
    expect([response.status, response.headers.get('connection')]).toEqual([503, 'close']);
  });

  it('/openapi.json describes every path there is, and no other', async () => {
    const app = appOf();
    const { paths, openapi } = (await (await app.request('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    expect(openapi).toBe('3.1.0');
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = app.routes.flatMap(({ method, path }) => (method === 'ALL' ? [] : [`${method} ${path}`]));
    expect(described.sort()).toEqual(routes.sort());
    expect(JSON.stringify(paths['/v1/check'])).toContain('"response"');
  });
});
