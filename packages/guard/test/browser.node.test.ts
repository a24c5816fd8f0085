/** The guard in Chromium, beside the guard in Node, on a tiny exported model. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../../scripts/chromium.ts';
import { Guard } from '../src/index.node.ts';
import { launch, openPage, Site } from './site.node.ts';
import { temporaryFolder, writeSettings, writeTinyGuard } from './tiny-guard.node.ts';

const long = 'the cake is great and my garden is nice '.repeat(12);
const texts = [
  { prompt: 'you are a stupid dog', response: 'thank you' },
  { prompt: 'what a lovely plan for my garden' },
  { prompt: `${long} you stupid lazy ugly dog ${long}` },
  { prompt: 'how are you', response: `${long} stupid ${long}` },
  { prompt: btoa('you are a stupid lazy dog') },
  { prompt: 'yоu stupid dоg' }, // Cyrillic о
];
const hostile = ['', '\0', '\ud800', '\udc00 \ud83d', '﷽'.repeat(200), '[CLS] </s> [SEP]', '- . '.repeat(90), '漢😀'];

/** Largest |Δp| allowed between Node and the browser. */
const TOLERANCE = { fp32: 1e-5, int8: 1e-4 };

describe.skipIf(findChromium() === null)('in Chromium', () => {
  let root: string;
  let site: Site;
  let browser: Browser;
  /** An ordinary page, and one that may have threads. */
  let plain: Page;
  let isolated: Page;
  const consoleErrors: string[] = [];
  const at = (name: string) => path.join(root, name);

  beforeAll(async () => {
    root = await temporaryFolder();
    await writeTinyGuard(at('tiny'), { int8: true, categories: ['insult', 'prank', 'spam'] });
    await writeTinyGuard(at('mine'));
    const guide = await readFile(path.join(import.meta.dirname, '../../../docs/guard.md'), 'utf8');
    const [, program] = guide.match(/## In the browser.*?```ts\n(.*?)```/s)!;
    await writeFile(at('guide.ts'), program!);
    site = await Site.start({ guards: root, scripts: { guide: at('guide.ts') } });
    browser = await launch();
    [plain, isolated] = [
      await openPage(browser, site, 'plain', consoleErrors),
      await openPage(browser, site, 'isolated', consoleErrors),
    ];
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    await rm(root, { recursive: true });
  });
  afterEach(() => {
    site.faults = [];
    site.requests = [];
  });

  type Load = { name?: string; page?: Page; worker?: boolean; dtype?: 'fp32' | 'int8'; threads?: number };

  /** Every text checked, alone and together. */
  async function checkAll({ name = '/guards/tiny', page = plain, ...options }: Load, requests = texts) {
    return page.evaluate(
      async ({ name, options, requests }) => {
        const guard = await harmaug.Guard.load(name, { wasmPaths: '/ort/', ...options });
        const alone = [];
        for (const request of requests) alone.push(await guard.check(request));
        const together = await guard.checkMany(requests);
        await guard.dispose();
        return { alone, together };
      },
      { name, options: { cache: false, ...options }, requests },
    );
  }

  /** What loading throws: the error's class and message. */
  async function failure(name: string, options: object = {}, page = plain) {
    return page.evaluate(
      async ({ name, options }) => {
        try {
          await (await harmaug.Guard.load(name, { wasmPaths: '/ort/', cache: false, ...options })).dispose();
        } catch (error) {
          const { name: kind, message } = error as Error;
          return `${kind}: ${message}`;
        }
        return 'loaded';
      },
      { name, options },
    );
  }

  it.each(['fp32', 'int8'] as const)('answers as in Node: %s', async (dtype) => {
    const guard = await Guard.load(at('tiny'), { dtype });
    const { alone } = await checkAll({ dtype });
    for (const [index, answer] of alone.entries()) {
      const { score, ...rest } = await guard.check(texts[index]!);
      expect(Math.abs(answer.score - score)).toBeLessThan(TOLERANCE[dtype]);
      expect(answer).toMatchObject(rest);
    }
    await guard.dispose();
  });

  it('answers the same in a worker, and with threads', async () => {
    const reference = await checkAll({ dtype: 'fp32' });
    expect(await checkAll({ dtype: 'fp32', worker: true })).toEqual(reference);
    expect(await isolated.evaluate(() => crossOriginIsolated)).toBe(true);
    for (const worker of [false, true]) {
      const threaded = await checkAll({ dtype: 'fp32', worker, threads: 2, page: isolated });
      for (const way of ['alone', 'together'] as const) {
        threaded[way].forEach((answer, index) => {
          const { score, ...rest } = reference[way][index]!;
          expect(answer).toEqual({ ...rest, score: expect.closeTo(score, 6) });
        });
      }
    }
  });

  it('answers any string', async () => {
    const requests = hostile.flatMap((prompt, index) => [{ prompt }, { prompt, response: hostile.at(-1 - index)! }]);
    const guard = await Guard.load(at('tiny'), { dtype: 'fp32' });
    for (const worker of [false, true]) {
      const { alone } = await checkAll({ dtype: 'fp32', worker }, requests);
      for (const [index, answer] of alone.entries()) {
        const { score, ...rest } = await guard.check(requests[index]!);
        expect(answer).toEqual({ ...rest, score: expect.closeTo(score, 5) });
      }
    }
    await guard.dispose();
    const refused = plain.evaluate(async () => {
      const guard = await harmaug.Guard.load('/guards/tiny', { wasmPaths: '/ort/', worker: true });
      await guard.check({ prompt: 7 as never });
    });
    await expect(refused).rejects.toThrow(/prompt: expected a string, got number/);
  });

  it('streams as in Node', async () => {
    const response = `${long} you stupid lazy ugly dog ${long}`;
    const chunks = response.match(/.{1,9}/gs)!;
    const guard = await Guard.load(at('tiny'), { dtype: 'fp32' });
    const stream = guard.stream({ prompt: 'how to do it' }, { everyTokens: 8 });
    const expected = [];
    for (const chunk of chunks) expected.push(await stream.push(chunk));
    expected.push(await stream.end());
    await guard.dispose();
    for (const worker of [false, true]) {
      const answers = await plain.evaluate(
        async ({ chunks, worker }) => {
          const guard = await harmaug.Guard.load('/guards/tiny', { wasmPaths: '/ort/', dtype: 'fp32', worker });
          const stream = guard.stream({ prompt: 'how to do it' }, { everyTokens: 8 });
          const pushed = [];
          for (const chunk of chunks) pushed.push(await stream.push(chunk));
          pushed.push(await stream.end());
          const over = await stream.push('a').catch((error: Error) => error.message);
          await guard.dispose();
          return { pushed, over };
        },
        { chunks, worker },
      );
      expect(answers.over).toBe('This stream has ended.');
      const near = expected.map((answer) => answer && { ...answer, score: expect.closeTo(answer.score, 5) });
      expect(answers.pushed).toEqual(near);
    }
  });

  it.each([false, true])('stops when a signal says so, and only what it is for; in a worker: %s', async (worker) => {
    const outcome = await plain.evaluate(async (worker) => {
      const { Guard } = harmaug;
      const options = { wasmPaths: '/ort/', worker, cache: false };
      const told = (promise: Promise<unknown>) =>
        promise.then(String, (error: Error) => `${error.name}: ${error.message}`);
      const guard = await Guard.load('/guards/tiny', options);
      const stop = new AbortController();
      const long = guard.check({ prompt: 'a nice dog '.repeat(3000) }, { signal: stop.signal });
      const other = guard.check({ prompt: 'dog' });
      stop.abort(new RangeError('enough'));
      const seen = [await told(long), (await other).windows];
      seen.push(await told(guard.checkMany([{ prompt: 'a' }], { signal: stop.signal })));
      const stream = guard.stream({ prompt: 'a' }, { everyTokens: 1, signal: stop.signal });
      seen.push(await told(stream.push('you are')), await told(stream.end()));
      seen.push(
        await told(Guard.load('/guards/tiny', { ...options, signal: AbortSignal.abort(new RangeError('no')) })),
      );
      const loading = new AbortController();
      const loaded = Guard.load('/guards/tiny', {
        ...options,
        signal: loading.signal,
        onProgress: () => loading.abort(),
      });
      seen.push((await told(loaded)).split(':')[0]!);
      const pending = worker ? guard.check({ prompt: 'a nice dog '.repeat(3000) }) : Promise.resolve(null);
      pending.catch(() => {});
      await guard.dispose();
      await guard.dispose();
      seen.push(await told(guard.check({ prompt: 'a' })));
      if (worker) seen.push(await told(pending));
      return seen;
    }, worker);
    const enough = 'RangeError: enough';
    const gone = 'ConfigError: This guard was disposed of.';
    expect(outcome.slice(0, 8)).toEqual([enough, 1, enough, enough, enough, 'RangeError: no', 'AbortError', gone]);
    if (worker) expect(outcome[8]).toMatch(/Error: /);
  });

  describe('a folder that is no guard is one clear error', () => {
    const spoil: [string, (where: string) => Promise<unknown>, RegExp][] = [
      [
        'without-config',
        (where) => rm(path.join(where, 'config.json')),
        /FormatError: .*without-config has no config\.json/,
      ],
      [
        'without-onnx',
        (where) => rm(path.join(where, 'onnx'), { recursive: true }),
        /has no onnx\/model_quantized\.onnx or/,
      ],
      ['without-tokenizer', (where) => rm(path.join(where, 'vocab.txt')), /has no tokenizer we can read/],
      ['of-three-labels', (where) => writeTinyGuard(where, { labels: ['a', 'b', 'c'] }), /two labels.*has 3/],
      ['corrupt', (where) => writeFile(path.join(where, 'onnx/model.onnx'), 'no'), /FormatError: .*cannot open it/],
      ['settings', (where) => writeSettings(where, { threshold: 7 }), /guard\.json: "threshold"/],
      ['no-json', (where) => writeFile(path.join(where, 'config.json'), '{'), /config\.json is not valid JSON/],
    ];
    it.each(spoil)('%s', async (name, change, message) => {
      await cp(at('tiny'), at(name), { recursive: true });
      await change(at(name));
      const dtype = name === 'corrupt' ? { dtype: 'fp32' } : {};
      const told = await failure(`/guards/${name}`, dtype);
      expect(told).toMatch(message);
      expect(told.split('\n')).toHaveLength(1);
      expect(await failure(`/guards/${name}`, { ...dtype, worker: true })).toBe(told);
    });

    it.each([
      [
        'a web page for a missing file',
        'guard.json',
        { status: 200, type: 'text/html', body: '<!doctype html>' },
        /FetchError: .*guard\.json: the server answers with a web page in place/,
      ],
      [
        'a fault of the server',
        'config.json',
        { status: 500, type: 'text/plain', body: 'oh' },
        /FetchError: .*config\.json: the server answers 500/,
      ],
      [
        'a refusal',
        'onnx/model_quantized.onnx',
        { status: 403, type: 'text/plain', body: 'no' },
        /answers 403\. May this page read it/,
      ],
      [
        'a file that is too large',
        'config.json',
        { status: 200, type: 'text/plain', body: '', length: 200_000_000 },
        /FormatError: .*has 200000000 bytes, expected at most 100000000/,
      ],
      [
        'a body that is cut off',
        'onnx/model_quantized.onnx',
        { status: 200, type: 'text/plain', body: 'half', length: 1000 },
        /FetchError: .*broke off/,
      ],
    ] as const)('%s', async (_, file, { status, type, body, ...rest }, message) => {
      site.faults = [
        (url, response, { method }) => {
          if (!url.endsWith(`/${file}`)) return false;
          const length = 'length' in rest ? { 'content-length': rest.length } : {};
          response.writeHead(status, { 'content-type': type, ...length });
          if (method === 'HEAD') response.end();
          else if (!('length' in rest)) response.end(body);
          else if (body === '') response.flushHeaders();
          else response.write(body, () => response.destroy());
          return true;
        },
      ];
      const told = await failure('/guards/tiny');
      expect(told).toMatch(message);
      expect(await failure('/guards/tiny', { worker: true })).toBe(told);
    });

    it('options', async () => {
      expect(await failure('/guards/tiny', { device: 'tpu' })).toMatch(
        /ConfigError: device: expected wasm or webgpu, got "tpu"/,
      );
      expect(await failure('/guards/tiny', { dtype: 'int3' })).toMatch(
        /ConfigError: dtype: expected one of int8, q4, fp32/,
      );
      expect(await failure('/guards/tiny', { device: 'webgpu', dtype: 'fp32' })).toMatch(
        /DeviceError: device: .*Use device: 'wasm'/,
      );
      expect(await failure('/guards/tiny?a=1')).toMatch(/ConfigError: .*without \? or #/);
      expect(await failure('http://')).toMatch(/ConfigError: "http:\/\/" is neither an address nor a hub id/);
      expect(await failure('/guards/tiny', { worker: true, wasmPaths: '/nowhere/' })).toMatch(
        /DeviceError: onnxruntime-web does not start .*name their folder in wasmPaths/,
      );
      expect(await failure('ftp://a/b')).toMatch(/begins with https:\/\//);
      site.faults = [(url, response) => url.includes('worker') && !!response.writeHead(404).end()];
      expect(await failure('/guards/tiny', { worker: true })).toMatch(
        /DeviceError: The guard's worker does not run.*worker\.web\.js/,
      );
    });
  });

  describe('kept files', () => {
    const load = (name: string, page: Page, worker = false) =>
      page.evaluate(
        async ({ name, worker, origin }) => {
          const hub = { endpoint: origin };
          const guard = await harmaug.Guard.load(name, { wasmPaths: '/ort/', worker, hub, dtype: 'fp32' });
          const { score } = await guard.check({ prompt: 'a stupid dog' });
          await guard.dispose();
          const cache = await caches.open(harmaug.CACHE_NAME);
          return {
            score,
            threshold: guard.settings.threshold,
            kept: (await cache.keys()).map(({ url }) => url).sort(),
          };
        },
        { name, worker, origin: site.origin },
      );
    const unplug = () => {
      site.faults = [(url, response) => !/^\/(ort|worker|chunk|plain)/.test(url) && !!response.destroy()];
    };

    it('load a guard without a network, in a worker too, and its new state when there is one', async () => {
      await cp(at('tiny'), at('kept'), { recursive: true });
      const page = await openPage(browser, site, 'plain');
      const first = await load('/guards/kept', page);
      expect(site.requests).toContain('GET /guards/kept/onnx/model.onnx');
      site.requests = [];
      expect(await load('/guards/kept', page)).toEqual(first);
      expect(site.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
      unplug();
      expect(await load('/guards/kept', page)).toEqual(first);
      expect(await load('/guards/kept', page, true)).toEqual(first);
      expect(await failure('/guards/other', {}, page)).toMatch(/FetchError: .*cannot be reached .*Are you online\?/);
      site.faults = [];
      await writeSettings(at('kept'), { threshold: 0.25 });
      expect(await load('/guards/kept', page)).toMatchObject({ score: first.score, threshold: 0.25 });
      unplug();
      expect(await load('/guards/kept', page)).toMatchObject({ threshold: 0.25 });
      await page.context().close();
    });

    it('of a hub id are those of one commit', async () => {
      const page = await openPage(browser, site, 'plain');
      const asked: string[] = [];
      let commit = 'a'.repeat(40);
      const serve = () => {
        site.faults = [
          async (url, response) => {
            if (url.startsWith('/api/')) asked.push(url);
            if (url === '/api/models/owner/tiny/revision/main') {
              response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ sha: commit }));
              return true;
            }
            if (url.startsWith('/api/')) {
              response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
              return true;
            }
            const [, file] = url.match(`^/owner/tiny/resolve/${commit}/(.*)`) ?? [];
            if (file === undefined) return false;
            response.writeHead(307, { location: `/guards/tiny/${file}` }).end();
            return true;
          },
        ];
      };
      serve();
      const first = await load('owner/tiny', page);
      expect(first.kept).toContain(`${site.origin}/owner/tiny/resolve/${commit}/onnx/model.onnx`);
      site.requests = [];
      expect(await load('owner/tiny', page)).toEqual(first);
      expect(site.requests).toEqual([]);
      unplug();
      expect(await load('hf:owner/tiny', page, true)).toEqual(first);
      serve();
      commit = 'b'.repeat(40);
      const second = await load('owner/tiny', page);
      expect(second).toMatchObject({ score: first.score });
      expect(second.kept.filter((url) => url.includes('a'.repeat(40)))).toEqual([]);
      expect(await failure('owner/tiny@v9', { hub: { endpoint: site.origin } }, page)).toMatch(
        /HubError: owner\/tiny has no revision "v9"/,
      );
      await page.context().close();
    });
  });

  it('runs the program of the guide as it stands', async () => {
    const lines: string[] = [];
    plain.on('console', (message) => lines.push(message.text()));
    const printed = plain.waitForEvent('console', (message) => /safe/.test(message.text()));
    await plain.addScriptTag({ url: '/guide.js', type: 'module' });
    expect((await printed).text()).toMatch(/^(un)?safe 0\.\d{3} \{prompt: Array\(2\)\}$/);
    expect(lines).toContain('100 %');
  });

  it('writes nothing on the console but what the browser itself says of missing files', () => {
    expect(consoleErrors.filter((line) => !/Failed to load resource|No available adapters/.test(line))).toEqual([]);
  });
});
