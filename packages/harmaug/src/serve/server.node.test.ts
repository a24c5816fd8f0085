/** The server on a port, with worker processes: what goes wrong outside, and what that costs. */
import { cp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Guard } from '@harmaug/guard/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kind, rude, temporaryFolder, writeSettings, writeTinyGuard } from '../../../guard/test/tiny-guard.node.ts';
import { createLog } from './log.ts';
import { post, serveForTest, type TestServer, testLimits, until } from './serve.testing.node.ts';
import type { ServeOptions } from './server.node.ts';

let folder: string;
const open: TestServer[] = [];
const serve = async (options: Partial<ServeOptions> = {}) => {
  const server = await serveForTest(folder, options);
  open.push(server);
  return server;
};

beforeAll(async () => {
  folder = await writeTinyGuard(await temporaryFolder());
});
afterEach(async () => {
  for (const server of open.splice(0)) {
    for (const pid of server.workers()) process.kill(pid, 'SIGCONT');
    await server.stop(1000);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const waiting = async (server: TestServer) => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^harmaug_texts_in_work (\d+)$/m.exec(text)![1]);
};

describe('a queue that is full', () => {
  it('refuses with Retry-After, and answers what it took', async () => {
    const server = await serve({ maxQueue: 2 });
    const [worker] = server.workers();
    process.kill(worker!, 'SIGSTOP');
    const taken = ['a', 'b', 'c', 'd'].map((prompt) => server.post('/v1/check', { prompt })); // two at the worker, two wait
    await until(async () => (await waiting(server)) === 4, 'four are taken in');
    const refused = await server.post('/v1/check', { prompt: 'e' });
    expect([refused.status, refused.json.error.code]).toEqual([503, 'queue_full']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    process.kill(worker!, 'SIGCONT');
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await server.post('/v1/check', { prompt: 'e' })).status).toBe(200);
  });

  it('refuses more requests at once than it may hold, before their bodies are there', async () => {
    const server = await serve({ limits: { ...testLimits, maxOpen: 2 } });
    const half = () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(
        'POST /v1/check HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      );
      return socket;
    };
    const sockets = [half(), half()];
    await until(async () => (await server.post('/v1/check', { prompt: 'a' })).status === 503, 'a third is refused');
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await until(async () => (await server.post('/v1/check', { prompt: 'a' })).status === 200, 'there is room again');
  });

  it('refuses those that wait too long', async () => {
    const server = await serve({ maxWaitMs: 300 });
    const [worker] = server.workers();
    process.kill(worker!, 'SIGSTOP');
    const asked = ['a', 'b', 'c'].map((prompt) => server.post('/v1/check', { prompt }));
    expect(await asked[2]).toMatchObject({ status: 503, json: { error: { code: 'waited_too_long' } } });
    process.kill(worker!, 'SIGCONT');
    expect((await Promise.all(asked.slice(0, 2))).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('forgets those whose client has left', async () => {
    const server = await serve();
    const [worker] = server.workers();
    process.kill(worker!, 'SIGSTOP');
    const leave = new AbortController();
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"prompt":"a"}' };
    const left = fetch(`${server.url}/v1/check`, { ...init, signal: leave.signal }).catch(() => 'left');
    await until(async () => (await waiting(server)) === 1, 'it is taken in');
    leave.abort();
    expect(await left).toBe('left');
    await until(async () => (await waiting(server)) === 0, 'it is forgotten');
  });

  it('ends what takes too long', async () => {
    const limits = { maxItems: 1, maxCharacters: 10, maxBodyBytes: 100, timeoutMs: 200, maxOpen: 9 };
    const server = await serve({ limits });
    process.kill(server.workers()[0]!, 'SIGSTOP');
    expect(await server.post('/v1/check', { prompt: 'a' })).toMatchObject({ status: 504 });
  });
});

describe('a worker that is killed', () => {
  it('loses its own requests, each answered with an error, and is replaced', async () => {
    const server = await serve({ workers: 2 });
    const [first, second] = server.workers();
    for (const pid of [first!, second!]) process.kill(pid, 'SIGSTOP');
    const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((prompt) => server.post('/v1/check', { prompt }));
    await until(async () => (await waiting(server)) === 6, 'six are taken in'); // two groups each, two wait
    process.kill(first!, 'SIGKILL');
    process.kill(second!, 'SIGCONT');
    const replies = await Promise.all(asked);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 502, 502]);
    expect(replies.find(({ status }) => status === 502)!.json.error.code).toBe('worker_lost');
    await until(() => server.workers().length === 2, 'it is replaced');
    expect(server.workers()).not.toContain(first);
    expect(server.lines.some((line) => /"event":"worker-lost".*"how":"SIGKILL"/.test(line))).toBe(true);
    expect((await server.post('/v1/check', { prompt: 'a' })).status).toBe(200);
  });
});

describe('a reload', () => {
  it('brings the new guard without losing a request, and the old one stays when the new one is broken', async () => {
    const own = await temporaryFolder();
    await cp(folder, own, { recursive: true });
    await writeSettings(own, { threshold: 0 });
    let keys: string[] = [];
    const server = await serve({ guard: own, workers: 2, readKeys: () => keys });
    const before = server.workers();
    let isOver = false;
    const statuses: number[] = [];
    const thresholds = new Set<number>();
    const asking = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const { status, json } = await server.post('/v1/check', { prompt: 'a' });
          statuses.push(status);
          thresholds.add(json.threshold);
        }
      }),
    );
    await writeSettings(own, { threshold: 1 });
    expect(await server.reload()).toBe(true);
    await sleep(100);
    isOver = true;
    await asking;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(thresholds).toEqual(new Set([0, 1]));
    for (const pid of before) await until(() => !isAlive(pid), 'the old worker ends');

    await rm(path.join(own, 'onnx'), { recursive: true });
    expect(await server.reload()).toBe(false);
    expect(server.lines.at(-1)).toMatch(/"event":"reload-failed","reason":"[^"]+has no onnx/);
    expect((await server.post('/v1/check', { prompt: 'a' })).status).toBe(200);
    keys = ['short'];
    await rm(own, { recursive: true });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('an end', () => {
  it('answers what is there, refuses what is new, and is over', async () => {
    const server = await serve();
    const [worker] = server.workers();
    process.kill(worker!, 'SIGSTOP');
    const asked = ['a', 'b', 'c'].map((prompt) => server.post('/v1/check', { prompt }));
    await until(async () => (await waiting(server)) === 3, 'three are taken in');
    const stopped = server.stop(10_000);
    await sleep(50);
    await expect(post(`${server.url}/v1/check`, { prompt: 'd' })).rejects.toThrow();
    process.kill(worker!, 'SIGCONT');
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await stopped;
    expect(isAlive(worker!)).toBe(false);
  });

  it('comes at the deadline with an error for what is left', async () => {
    const server = await serve();
    process.kill(server.workers()[0]!, 'SIGSTOP');
    const asked = server.post('/v1/check', { prompt: 'a' });
    await until(async () => (await waiting(server)) === 1, 'it is taken in');
    await server.stop(100);
    expect(await asked).toMatchObject({ status: 502 });
  });
});

describe('clients that are broken', () => {
  const exchange = (port: number, bytes: string, ends: boolean) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let reply = '';
      socket.on('data', (chunk) => {
        reply += chunk;
      });
      socket.on('error', () => resolve('closed'));
      socket.on('close', () => resolve(reply || 'closed'));
      socket.write(bytes);
      if (ends) socket.end();
    });
  const head = 'POST /v1/check HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';

  it('get a 4xx or lose the connection, and others are answered', async () => {
    const server = await serve();
    const broken = [
      'no http at all\r\n\r\n',
      `${head}content-length: -1\r\n\r\n{}`,
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n{}`,
      `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      `${head}x: ${'y'.repeat(100_000)}\r\n\r\n`,
      `${head}content-length: 100\r\n\r\n{"prompt":`, // and no more
      `${head}content-length: 1000000000\r\n\r\n{"prompt":`,
    ];
    const replies = await Promise.all(broken.map((bytes) => exchange(server.port, bytes, true)));
    for (const reply of replies) expect(reply).toMatch(/^(closed|HTTP\/1\.1 4\d\d )/);
    expect((await server.post('/v1/check', { prompt: 'a' })).status).toBe(200);
  });
});

describe('what a request says', () => {
  it('reaches its own answer alone: no log line, no metric, no other answer', async () => {
    const server = await serve({ workers: 2, maxQueue: 1000, readKeys: () => ['the-right-key'] });
    const printed: string[] = [];
    const write = process.stderr.write;
    process.stderr.write = ((text: string) => printed.push(text) > 0) as typeof write;
    const guard = await Guard.load(folder, { threads: 1 });
    const words = [...rude, ...kind];
    const key = { authorization: 'Bearer the-right-key' };
    const canary = (row: number) => `canary${row}x`;
    try {
      const asked = await Promise.all(
        Array.from({ length: 120 }, async (_, row) => {
          const prompt = `${words[row % words.length]} ${canary(row)} ${'cake '.repeat(row % 7)}`;
          const headers = { ...key, 'user-agent': canary(row), 'x-request-id': canary(row) };
          const good = await server.post('/v1/check', { prompt }, headers);
          const bad = await Promise.all([
            server.post('/v1/check', { prompt, [canary(row)]: 1 }, headers),
            server.post('/v1/check', `{"prompt": "${canary(row)}`, headers),
            server.post(`/v1/${canary(row)}`, { prompt }, headers),
            server.post('/v1/check', { prompt }, { authorization: `Bearer ${canary(row)}` }),
            server.post('/v1/moderations', { input: [{ type: canary(row), text: prompt }] }, headers),
            server.post('/v1/check', { prompt }, { ...headers, 'content-type': canary(row) }),
          ]);
          return { prompt, good, bad };
        }),
      );
      for (const [row, { prompt, good, bad }] of asked.entries()) {
        expect(good.status).toBe(200);
        expect(good.json.score).toBeCloseTo((await guard.check({ prompt })).score, 5);
        expect(good.json.window.prompt[1]).toBeLessThanOrEqual(prompt.length);
        expect(bad.map(({ status }) => status)).toEqual([400, 400, 404, 401, 400, 415]);
        const said = [good, ...bad].map(({ json, headers }) => JSON.stringify([json, ...headers]));
        for (const text of said) expect(text, `row ${row}`).not.toMatch(/canary/);
      }
      const metrics = await (await fetch(`${server.url}/metrics`, { headers: key })).text();
      expect(metrics).toMatch(/harmaug_requests_total\{route="\/v1\/check",status="200"\} 120/);
      expect(server.lines.length).toBeGreaterThan(800);
      expect(metrics + server.lines.join('\n') + printed.join('')).not.toMatch(/canary|right-key/);
    } finally {
      process.stderr.write = write;
      await guard.dispose();
    }
  });
});

describe('a server that cannot start', () => {
  it('says why, and leaves no worker behind', async () => {
    const server = await serve();
    await expect(serveForTest(folder, { port: server.port })).rejects.toThrow(/Port \d+ of 127.0.0.1 is taken/);
    await expect(serveForTest('/nowhere/guard')).rejects.toThrow(/nowhere/);
    await expect(
      serveForTest(folder, {
        readKeys: () => {
          throw new Error('no keys');
        },
      }),
    ).rejects.toThrow('no keys');
  });
});

it('logs events alone, or nothing, where that is asked for', () => {
  const lines: string[] = [];
  const request = { event: 'request', id: '1', route: '/v1/check', status: 200, ms: 1, texts: 1 } as const;
  for (const level of ['requests', 'events', 'none'] as const) {
    const log = createLog(level, (line) => lines.push(`${level} ${JSON.parse(line).event}`));
    log(request);
    log({ event: 'stopping' });
  }
  expect(lines).toEqual(['requests request', 'requests stopping', 'events stopping']);
});
