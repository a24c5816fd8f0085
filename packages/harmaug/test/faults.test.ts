/** What goes wrong on the way to a model: each ends in the right answer, another try, or one clear error, and is counted once. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ProviderError } from '../src/errors.ts';
import { dialects } from '../src/providers/openai/dialects.ts';
import { createOpenAiProvider, type OpenAiOptions, type OpenAiProvider } from '../src/providers/openai/provider.ts';
import { createTransport } from '../src/providers/openai/transport.node.ts';
import { behaviours } from './loopback/behaviours.ts';
import { type Fault, type Loopback, send, startLoopback } from './loopback/server.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function serve(fault: Fault): Promise<Loopback> {
  const server = await startLoopback(behaviours.vllm, fault);
  opened.push(() => server.close());
  return server;
}

function connect(endpoints: readonly string[], options: Partial<OpenAiOptions> = {}): OpenAiProvider {
  const provider = createOpenAiProvider({
    dialect: dialects.vllm,
    endpoints,
    model: 'toy',
    transport: createTransport({ connections: 64 }),
    concurrency: 64,
    timeoutMs: 120,
    retry: { firstWaitMs: 5, longestWaitMs: 40 },
    ...options,
  });
  opened.push(() => provider.dispose());
  return provider;
}

const CANARY = 'quokka-canary-text';
const ask = (id: string, content = `short ${CANARY}`) => ({
  id,
  input: { kind: 'chat', messages: [{ role: 'user', content }] } as const,
  maxTokens: 8,
});
const point = { after: '', positions: 'first' } as const;
const verdict = (id: string) =>
  ({ ...ask(id, 'judge this'), point, candidates: ['safe', 'unsafe'], match: 'exact' }) as const;

/** The fault for the first requests only. */
const first =
  (times: number, fault: Fault): Fault =>
  (call) =>
    call.number <= times ? fault(call) : false;
const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  ({ response }) => {
    send(response, code, JSON.stringify({ error: { message: 'not now' } }), headers);
    return true;
  };
const raw =
  (body: string): Fault =>
  ({ response }) => {
    send(response, 200, body);
    return true;
  };
const reset: Fault = ({ response }) => {
  response.socket!.resetAndDestroy();
  return true;
};
const hang: Fault = () => true;
const truncate: Fault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write(`{"choices":[{"message":{"content":"${CANARY}`);
  setTimeout(() => response.socket?.destroy(), 5);
  return true;
};
const trickle: Fault = ({ response }) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
  return true;
};
const choices = (...texts: string[]) =>
  JSON.stringify({
    choices: texts.map((content) => ({ index: 0, message: { content }, finish_reason: 'stop' })),
    usage: { prompt_tokens: 3, completion_tokens: 1 },
  });

/** Once, and the second try gives the right answer. */
const passing: Record<string, Fault> = {
  'a 429 with Retry-After': status(429, { 'retry-after': '0.05' }),
  'a 429 with a date': status(429, { 'retry-after': new Date(Date.now() - 1000).toUTCString() }),
  'a 429 without Retry-After': status(429),
  'a 503': status(503),
  'a 500': status(500),
  'a connection reset': reset,
  'a hang': hang,
  'a reply that never ends': trickle,
  'a truncated body': truncate,
  'a body cut to half, whole by its length': raw(`{"choices":[{"message":{"content":"${CANARY}`),
  'malformed JSON': raw(`<html>${CANARY}</html>`),
  'an empty body': raw(''),
  'JSON of another kind': raw(`["${CANARY}"]`),
  'no choice': raw('{"choices":[]}'),
  'two different choices of one number': raw(choices(CANARY, 'another')),
};

describe('is got over by asking again:', () => {
  test.each(Object.entries(passing))('%s', async (_, fault) => {
    const server = await serve(first(1, fault));
    const provider = connect([server.url]);
    const { text, usage } = await provider.generate(ask('row-1'));
    expect(text).toBe('Fine.');
    expect(usage.completionTokens).toBe(2);
    expect(provider.counts).toEqual({ done: 1, failed: 0, aborted: 0, attempts: 2 });
    expect(server.requests[1]).toEqual(server.requests[0]);
  });

  test('Retry-After is honoured, for every call to that server', async () => {
    const times: number[] = [];
    const server = await serve((call) => {
      times.push(performance.now());
      return call.number === 1 ? status(429, { 'retry-after': '0.3' })(call) : false;
    });
    const provider = connect([server.url], { concurrency: 1 });
    await Promise.all([provider.generate(ask('row-1')), provider.generate(ask('row-2'))]);
    expect(times).toHaveLength(3);
    expect(times[1]! - times[0]!).toBeGreaterThan(295);
  });
});

describe('is one clear error when it lasts:', () => {
  const lasting: [string, Fault, RegExp][] = [
    ['a 500', status(500), /^Call row-1: http:.* answered 500: not now\. Tried 5 times\.$/],
    [
      'a connection reset',
      reset,
      /^Call row-1: http:.* broke the connection \((ECONNRESET|UND_ERR_SOCKET)\)\. Tried 5 times\.$/,
    ],
    ['a hang', hang, /^Call row-1: http:.* did not finish its reply within 0\.12 s\. Tried 5 times\.$/],
    ['malformed JSON', raw(`<html>${CANARY}`), /^Call row-1: The reply cannot be used: it is not JSON \(24 characters/],
    ['two different choices', raw(choices('a', 'b')), /it has 2 different choices of one number\. Tried 5 times/],
  ];
  test.each(lasting)('%s', async (_, fault, message) => {
    const provider = connect([(await serve(fault)).url]);
    const error = await provider.generate(ask('row-1')).catch((error) => error);
    expect(error).toBeInstanceOf(ProviderError);
    expect(error.message).toMatch(message);
    expect(error.causes).toHaveLength(5);
    expect(error.isRetryable).toBe(false);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY);
    expect(provider.counts).toEqual({ done: 0, failed: 1, aborted: 0, attempts: 5 });
  });

  test('a 400, at once, without the texts that the server repeats', async () => {
    const content = `Please ${CANARY} now, and one more sentence.`;
    const fault: Fault = ({ response }) => {
      const detail = [{ type: 'x', loc: ['body', 'messages', 0], msg: `Bad value '${content}'`, input: content }];
      send(response, 422, JSON.stringify({ detail }));
      return true;
    };
    const provider = connect([(await serve(fault)).url]);
    const error = await provider.generate(ask('row-1', content)).catch((error) => error);
    expect(error.message).toMatch(/answered 422: body\.messages\.0: Bad value '…'\. Check the dialect/);
    expect(inspect(error, { depth: 10 })).not.toContain(CANARY);
    expect(provider.counts.attempts).toBe(1);
  });

  test('a reply of 50 MB, stopped after 8', async () => {
    let sent = 0;
    const fault: Fault = ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(1_000_000, 'x');
      const more = () => {
        while (sent < 50_000_000 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
      return true;
    };
    const provider = connect([(await serve(fault)).url], { timeoutMs: 5000 });
    const error = await provider.generate(ask('row-1')).catch((error) => error);
    expect(error).toMatchObject({ problem: 'too-large', isRetryable: false });
    expect(error.message).toMatch(/sent more than 8000000 bytes/);
    expect(sent).toBeLessThan(30_000_000);
  });

  test('a wrong key, which is not shown', async () => {
    const server = await startLoopback(behaviours.openai);
    opened.push(() => server.close());
    const key = 'sk-quokka-1234567890';
    const provider = connect([server.url], { dialect: dialects.openai, apiKey: key, keyName: 'TOY_KEY' });
    const error = await provider.generate(ask('row-1')).catch((error) => error);
    expect(error.message).toMatch(/answered 401: Incorrect API key provided: Bearer ….* Check the key in TOY_KEY\./);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(key);
  });

  test('nobody at the address', async () => {
    const provider = connect(['http://127.0.0.1:9/v1']);
    await expect(provider.generate(ask('row-1'))).rejects.toThrow(
      /refuses connections. Is the server running there\? Tried 5 times/,
    );
  });
});

describe('probabilities', () => {
  const body = (logprobs: string) =>
    `{"choices":[{"index":0,"message":{"content":"safe"},"finish_reason":"stop","logprobs":${logprobs}}],"usage":{}}`;
  const content = (unsafe: string) =>
    `{"content":[{"token":"safe","logprob":-0.2,"top_logprobs":[{"token":"safe","logprob":-0.2}${unsafe}]}]}`;
  const cases: [string, string, unknown][] = [
    ['NaN is no number', content(',{"token":"unsafe","logprob":NaN}'), [-0.2, 'not-a-number']],
    ['null is no number', content(',{"token":"unsafe","logprob":null}'), [-0.2, 'not-a-number']],
    ['minus infinity is no number', content(',{"token":"unsafe","logprob":-Infinity}'), [-0.2, 'not-a-number']],
    ['over 1 is no number', content(',{"token":"unsafe","logprob":3.5}'), [-0.2, 'not-a-number']],
    ['absent is missing', content(''), [-0.2, 'missing']],
  ];
  test.each(cases)('%s', async (_, logprobs, expected) => {
    const provider = connect([(await serve(raw(body(logprobs)))).url]);
    expect((await provider.nextTokens(verdict('row-1'))).logprobs).toEqual(expected);
  });

  test('none at all is an error', async () => {
    const provider = connect([(await serve(raw(body('null')))).url]);
    await expect(provider.nextTokens(verdict('row-1'))).rejects.toMatchObject({ problem: 'unsupported' });
  });
});

describe('several endpoints', () => {
  test('share the load, and a dead one is left aside', async () => {
    const [one, two] = [await serve(() => false), await serve(() => false)];
    const provider = connect([one.url, two.url, 'http://127.0.0.1:9/v1'], { concurrency: 4 });
    await Promise.all(Array.from({ length: 60 }, (_, i) => provider.generate(ask(`row-${i}`))));
    expect(provider.counts).toMatchObject({ done: 60, failed: 0 });
    expect(Math.min(one.answered(), two.answered())).toBeGreaterThan(15);
    expect(provider.counts.attempts).toBeLessThan(60 + 12);
  });

  test('one that comes back is used again', async () => {
    let isUp = false;
    const other = await serve(() => false);
    const server = await serve((call) => (isUp ? false : status(500)(call)));
    const provider = connect([server.url, other.url], { concurrency: 2 });
    await Promise.all(Array.from({ length: 40 }, (_, i) => provider.generate(ask(`row-${i}`))));
    expect(server.answered()).toBe(0);
    expect(provider.client.pool.endpoints[0]!.isDown).toBe(true);
    isUp = true;
    await new Promise((resolve) => setTimeout(resolve, 1100)); // its first pause
    await Promise.all(Array.from({ length: 40 }, (_, i) => provider.generate(ask(`later-${i}`))));
    expect(server.answered()).toBeGreaterThan(5);
    expect(provider.counts.done).toBe(80);
  });

  test('all dead for too long is an error with its cause', async () => {
    const provider = connect(['http://127.0.0.1:9/v1'], { patienceMs: 100, concurrency: 1 });
    const calls = Array.from({ length: 8 }, (_, i) => provider.generate(ask(`row-${i}`)).catch((error) => error));
    const errors: ProviderError[] = await Promise.all(calls);
    expect(errors.every((error) => error instanceof ProviderError)).toBe(true);
    expect(errors.at(-1)!.message).toMatch(/The endpoint has been down for 0 s\. .*refuses connections/);
    expect(provider.counts).toMatchObject({ done: 0, failed: 8 });
  });
});

describe('concurrency', () => {
  test('shrinks to what a server bears, and every call is answered', async () => {
    let busy = 0;
    const server = await serve(async ({ response }) => {
      busy += 1;
      const isTooMuch = busy > 8;
      await new Promise((resolve) => setTimeout(resolve, 5));
      busy -= 1;
      if (isTooMuch) send(response, 429, '{"error":"busy"}');
      return isTooMuch;
    });
    const provider = connect([server.url], { timeoutMs: 5000 });
    await Promise.all(Array.from({ length: 300 }, (_, i) => provider.generate(ask(`row-${i}`))));
    expect(provider.counts).toMatchObject({ done: 300, failed: 0 });
    expect(provider.client.pool.endpoints[0]!.limit).toBeLessThan(32);
    expect(server.answered()).toBe(300);
  });

  test('shrinks when replies become much slower', async () => {
    let delayMs = 4;
    const server = await serve(async () => {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      return false;
    });
    const provider = connect([server.url], { concurrency: 16, timeoutMs: 5000 });
    const many = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => provider.generate(ask(`row-${i}`))));
    await many(200);
    const before = provider.client.pool.endpoints[0]!.limit;
    delayMs = 400; // far over what a busy machine makes of the 4
    await many(80);
    expect(before).toBe(16);
    expect(provider.client.pool.endpoints[0]!.limit).toBeLessThan(16);
    expect(provider.counts).toMatchObject({ done: 280, failed: 0 });
  });

  test('is never more than asked for', async () => {
    let busy = 0;
    let most = 0;
    const server = await serve(async () => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 3));
      busy -= 1;
      return false;
    });
    const provider = connect([server.url], { concurrency: 5 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => provider.generate(ask(`row-${i}`))));
    expect(most).toBe(5);
  });
});

describe('stopping', () => {
  test('ends calls under way, in line and waiting to try again', async () => {
    const server = await serve(({ body }) =>
      JSON.stringify(body).includes('again') ? status(500)({} as never) : true,
    );
    const provider = connect([server.url], { concurrency: 1, timeoutMs: 60_000 });
    const stop = new AbortController();
    const calls = ['a', 'b', 'c'].map((id) =>
      provider.generate({ ...ask(id), signal: stop.signal }).catch((error) => error),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await Promise.all(calls)).toEqual([reason, reason, reason]);
    expect(provider.counts).toMatchObject({ done: 0, failed: 0, aborted: 3 });
  });
});

test('whatever faults come, every call ends once, with its own answer', async () => {
  const faults: Fault[] = [
    status(429),
    status(500),
    reset,
    truncate,
    raw('{'),
    raw('[]'),
    () => false,
    () => false,
    () => false,
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: faults.length - 1 }), { minLength: 20, maxLength: 60 }), async (drawn) => {
      const plan = drawn.flatMap((fault) => [fault, faults.length - 1]); // every other reply is good
      const server = await startLoopback(behaviours.vllm, (call) => faults[plan[call.number % plan.length]!]!(call));
      const transport = createTransport({ connections: 8 });
      const provider = createOpenAiProvider({
        dialect: dialects.vllm,
        endpoints: [server.url],
        model: 'toy',
        transport,
        concurrency: 8,
        timeoutMs: 2000,
        retry: { attempts: 40, firstWaitMs: 1, longestWaitMs: 4 },
        clock: { now: () => performance.now() * 50, after: (ms, action) => clearOf(setTimeout(action, ms / 50)) },
      });
      const texts = await Promise.all(
        Array.from({ length: 25 }, async (_, i) => {
          const kind = i % 2 === 0 ? 'short' : 'judge';
          return [kind, (await provider.generate(ask(`row-${i}`, `${kind} ${i}`))).text];
        }),
      );
      await provider.dispose();
      await server.close();
      for (const [kind, text] of texts) expect(text).toBe(kind === 'short' ? 'Fine.' : '\n\nsafe');
      expect(provider.counts).toMatchObject({ done: 25, failed: 0, aborted: 0 });
      expect(provider.counts.attempts).toBe(server.requests.length);
      expect(server.answered()).toBe(25);
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

function clearOf(timer: NodeJS.Timeout): () => void {
  return () => clearTimeout(timer);
}
