import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Benchmark } from './benchmarks.ts';
import { fetchBenchmark } from './fetch-benchmark.node.ts';

const BODY = '[{"prompt":"Tea?","toxicity":0}]';
const sha256 = createHash('sha256').update(BODY).digest('hex');

async function setUp(answer: RequestListener, hash: string | undefined = sha256) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cache = await mkdtemp(path.join(tmpdir(), 'harmaug-cache-'));
  onTestFinished(async () => {
    server.close();
    await rm(cache, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data/a%20file.json`;
  const file = { url, format: 'harmaug-moderation' as const, ...(hash ? { sha256: hash } : {}) };
  const benchmark: Benchmark = {
    title: 'Test',
    version: 3,
    judges: 'prompt',
    files: [file],
    labelRule: '',
    licence: '',
    citation: '',
  };
  const stored = () => readdirSync(cache, { recursive: true }).map(String).sort();
  return { get: () => fetchBenchmark('test', benchmark, { cache }), requests: () => requests, stored, cache };
}

describe('a benchmark’s file', () => {
  it('is fetched once and then read from the cache', async () => {
    const { get, requests, stored } = await setUp((_, response) => response.end(BODY));
    const [first] = await get();
    expect(first).toMatchObject({ format: 'harmaug-moderation', sha256 });
    expect(await get()).toEqual([first]);
    expect(requests()).toBe(1);
    expect(stored()).toEqual(['benchmarks', 'benchmarks/test-v3', 'benchmarks/test-v3/a file.json']);
  });

  it('that is another than the record names is refused and not kept', async () => {
    const { get, stored } = await setUp((_, response) => response.end(BODY), '0'.repeat(64));
    await expect(get()).rejects.toThrow(/expected sha256 0000.*got [0-9a-f]{64}/);
    expect(stored()).toEqual(['benchmarks', 'benchmarks/test-v3']);
  });

  it('without a hash in the record is held to the first fetch', async () => {
    const { get, cache } = await setUp((_, response) => response.end(BODY), '');
    await get();
    await writeFile(path.join(cache, 'benchmarks/test-v3/a file.json'), '[]');
    await expect(get()).rejects.toThrow(/is not the file that figures were measured on/);
  });

  it.each([
    [401, /answered 401\. The set is gated.*HF_TOKEN/],
    [404, /answered 404\. Or fetch it yourself/],
    [500, /answered 500/],
  ])('answered with %i is one clear error', async (status, message) => {
    const { get, stored } = await setUp((_, response) => response.writeHead(status).end());
    await expect(get()).rejects.toThrow(message);
    expect(stored()).toHaveLength(2);
  });

  it('that breaks off leaves nothing behind', async () => {
    const { get, stored } = await setUp((_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('[{');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(get()).rejects.toThrow(/broke off after 2 bytes/);
    expect(stored()).toHaveLength(2);
  });
});
