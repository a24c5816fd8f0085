/** The playground's server and site: what they give away, and what they do not. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { harmaug } from '../../test/harmaug.node.ts';
import { main } from '../cli/main.node.ts';
import { temporaryFolder } from '../distill/tiny.testing.node.ts';
import { type SiteServer, startSite } from './server.node.ts';
import { makeSite } from './site.node.ts';

let root: string;
let guard: string;
let server: SiteServer;

beforeAll(async () => {
  root = await temporaryFolder();
  guard = path.join(root, 'mine');
  await mkdir(path.join(guard, 'onnx'), { recursive: true });
  const files = {
    'config.json': '{}',
    'vocab.txt': 'a',
    'onnx/model.onnx': 'model',
    'model.safetensors': 'WEIGHTS',
    'training-prompts.bin': 'PROMPTS',
    'README.md': 'README',
    '.env': 'SECRET',
    '../outside.json': '{}',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(guard, name), content);
  server = await startSite(await makeSite(guard));
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true });
});

/** As it is written: `fetch` would tidy paths up. */
function ask(target: string, options: { method?: string; host?: string; etag?: string } = {}) {
  const { method = 'GET', host = new URL(server.url).host, etag } = options;
  const headers = { host, ...(etag ? { 'if-none-match': etag } : {}) };
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    request({ hostname, port, path: target, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks).toString() });
      });
    })
      .on('error', reject)
      .end();
  });
}

describe('the playground’s server', () => {
  it('isolates its pages, so that they may have threads, and lets no other page frame or read them', async () => {
    for (const target of ['/', '/elsewhere.html', '/page.js', '/worker.web.js', '/guard/config.json', '/nothing']) {
      const { headers } = await ask(target);
      expect(headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'content-security-policy': "frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it('has a page that may connect to its own site alone', async () => {
    const { body, headers } = await ask('/');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(body).toContain("connect-src 'self';");
    expect(body).toContain("default-src 'none'");
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/);
  });

  it('gives the guard’s files and what the page is told of it', async () => {
    expect((await ask('/guard/onnx/model.onnx')).body).toBe('model');
    expect((await ask('/guard/vocab.txt?x=1')).body).toBe('a');
    const { body } = await ask('/playground.json');
    expect(JSON.parse(body)).toEqual({ name: 'mine', models: [{ dtype: 'fp32', bytes: 5 }] });
    const wasm = await ask('/ort/ort-wasm-simd-threaded.wasm', { method: 'HEAD' });
    expect([wasm.status, wasm.headers['content-type'], wasm.body]).toEqual([200, 'application/wasm', '']);
    expect(Number(wasm.headers['content-length'])).toBeGreaterThan(1e6);
  });

  it.each([
    '/guard/model.safetensors',
    '/guard/training-prompts.bin',
    '/guard/README.md',
    '/guard/.env',
    '/guard/guard.json',
    '/guard/',
    '/guard/../mine/.env',
    '/guard/../../outside.json',
    '/guard/..%2f..%2foutside.json',
    '/guard/%2e%2e/outside.json',
    '/guard\\..\\.env',
    '//etc/passwd',
    '/../../../../etc/passwd',
    '/guard/config.json%00.txt',
    '/__proto__',
    '/constructor',
    '/%',
  ])('has nothing at %s', async (target) => {
    const { status, body } = await ask(target);
    expect([status, body]).toEqual([404, '404\n']);
  });

  it('refuses other methods, and names that were made to lead here', async () => {
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
    expect((await ask('/', { method: 'DELETE' })).status).toBe(405);
    expect((await ask('/', { host: 'evil.example' })).status).toBe(421);
    expect((await ask('/', { host: 'localhost.evil.example:80' })).status).toBe(421);
    expect((await ask('/', { host: 'localhost:9' })).status).toBe(200);
  });

  it('says when a file is as it was, and when it is not', async () => {
    for (const target of ['/guard/config.json', '/']) {
      const { etag } = (await ask(target)).headers as { etag: string };
      expect((await ask(target, { etag })).status).toBe(304);
      expect((await ask(target, { etag: '"other"' })).status).toBe(200);
    }
    const { etag } = (await ask('/guard/vocab.txt')).headers as { etag: string };
    await writeFile(path.join(guard, 'vocab.txt'), 'longer');
    expect((await ask('/guard/vocab.txt', { etag })).body).toBe('longer');
    await rm(path.join(guard, 'vocab.txt'));
    expect((await ask('/guard/vocab.txt')).status).toBe(404);
    await writeFile(path.join(guard, 'vocab.txt'), 'a');
  });

  it('says that a port is taken', async () => {
    const port = Number(new URL(server.url).port);
    await expect(startSite(new Map(), port)).rejects.toThrow(`Port ${port} is taken. Give another: --port`);
  });
});

describe('harmaug playground', () => {
  it('writes the site, and again over an older one, but over nothing else', async () => {
    const out = path.join(root, 'site');
    await mkdir(path.join(out, 'guard'), { recursive: true });
    for (const name of ['guard/guard.json', 'chunk-OLD.js', 'playground.json'])
      await writeFile(path.join(out, name), '{}');
    for (const _ of ['over it', 'again']) {
      const ran = await harmaug('playground', guard, '--out', out, '--json');
      expect([ran.exitCode, ran.stderr]).toEqual([0, '']);
      expect(JSON.parse(ran.stdout)).toMatchObject({ guard, folder: out });
    }
    const names = (await readdir(out)).sort();
    expect(names.filter((name) => !name.startsWith('chunk-'))).toEqual(
      [
        ...['elsewhere.html', 'guard', 'icon.svg', 'index.html', 'ort', 'page.js', 'playground.json', 'style.css'],
        ...['sw.js', 'worker.web.js'],
      ].sort(),
    );
    expect(names).not.toContain('chunk-OLD.js');
    expect((await readdir(path.join(out, 'guard'))).sort()).toEqual(['config.json', 'onnx', 'vocab.txt']);
    const page = await readFile(path.join(out, 'index.html'), 'utf8');
    expect(page).not.toMatch(/(src|href)="\//); // it may lie at any path
    const ran = await harmaug('playground', guard, '--out', guard);
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      `harmaug playground: --out ${guard}: expected an empty folder, or one with an older playground.\n`,
    ]);
  });

  it('serves until it is told to end, and says where', async () => {
    const stop = new AbortController();
    let told = '';
    let isUp: (url: string) => void;
    const up = new Promise<string>((resolve) => {
      isUp = resolve;
    });
    const write = (text: string): void => {
      told += text;
      const url = /http:\S+/.exec(told)?.[0];
      if (url) isUp(url);
    };
    const sink = { write: (text: string) => text };
    const exit = main(['playground', guard], { stdout: sink, stderr: { write }, env: {}, signal: stop.signal });
    const url = await up;
    expect(await (await fetch(`${url}guard/onnx/model.onnx`)).text()).toBe('model');
    stop.abort();
    expect(await exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('tells what is wrong with a folder or a port', async () => {
    expect((await harmaug('playground', root)).stderr).toMatch(/has no config\.json/);
    const bare = path.join(root, 'bare');
    await mkdir(bare, { recursive: true });
    await writeFile(path.join(bare, 'config.json'), '{}');
    const ran = await harmaug('playground', bare);
    expect(ran.stderr).toContain(`${bare} has no exported model. Export it first: harmaug export ${bare}`);
    expect((await harmaug('playground', guard, '--port', '70000')).exitCode).toBe(2);
    expect((await harmaug('playground')).exitCode).toBe(2);
  });
});
