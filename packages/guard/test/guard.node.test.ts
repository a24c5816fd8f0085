/** The guard in Node on a tiny exported model. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Guard } from '../src/index.node.ts';
import { temporaryFolder, writeSettings, writeTinyGuard } from './tiny-guard.node.ts';

let root: string;
let folder: string;
let guard: Guard;
const at = (name: string) => path.join(root, name);

beforeAll(async () => {
  root = await temporaryFolder();
  folder = await writeTinyGuard(at('guard'), { categories: ['insult', 'prank', 'spam'] });
  guard = await Guard.load(folder);
});
afterAll(async () => {
  await guard.dispose();
  await rm(root, { recursive: true });
});

/** A copy of the guard's folder, to be changed. */
async function copy(name: string): Promise<string> {
  await cp(folder, at(name), { recursive: true });
  return at(name);
}

describe('check', () => {
  it('answers with a score, a verdict, a category and the whole text as its one window', async () => {
    const answer = await guard.check({ prompt: 'you are a stupid dog', response: 'thank you' });
    expect(answer).toEqual({
      score: expect.any(Number),
      verdict: answer.score >= 0.5 ? 'unsafe' : 'safe',
      threshold: 0.5,
      category: expect.stringMatching(/^(insult|prank|spam)$/),
      window: { prompt: [0, 20], response: [0, 9] },
      windows: 1,
    });
    expect(answer.score).toBeGreaterThan(0);
    expect(answer.score).toBeLessThan(1);
  });

  it('scores a long text as its worst window alone is scored, wherever that lies', async () => {
    const harmless = 'the cake is great and my garden is nice '.repeat(40);
    for (const place of [0, 397, 800, harmless.length]) {
      const prompt = `${harmless.slice(0, place)} you stupid lazy ugly dog ${harmless.slice(place)}`;
      const { score, window, windows } = await guard.check({ prompt });
      expect(windows).toBeGreaterThan(5);
      const alone = await guard.check({ prompt: prompt.slice(...window.prompt) });
      expect(alone.windows).toBe(1);
      expect(alone.score).toBeCloseTo(score, 6);
    }
  });

  it('scores a sentence of a long text no lower than the sentence alone', async () => {
    const harmless = 'The cake is great and my garden is nice. '.repeat(40);
    for (const sentence of ['You are a stupid lazy ugly dog. ', 'What is it for, my lovely friend? ']) {
      const alone = await guard.check({ prompt: sentence });
      for (const place of [0, 41 * 7, harmless.length]) {
        const long = { prompt: harmless.slice(0, place) + sentence + harmless.slice(place) };
        expect((await guard.check(long)).score).toBeGreaterThanOrEqual(alone.score - 1e-6);
      }
    }
  });

  it.each([
    ['Chinese', '今天的天气很好，我们一起去公园吧。孩子们玩得很开心，'.repeat(20)],
    ['emoji', '😀🌻🍰🏖️🎈🐕🌧️🍓🚲🎵 '.repeat(60)],
    ['base64', 'QmFzZTY0IGlzIG5vdCBhIGNpcGhlcg'.repeat(40)],
  ])('scores what was put into %s no lower than by itself', async (_, filler) => {
    const request = 'You are a stupid lazy ugly dog.';
    const alone = await guard.check({ prompt: request });
    for (const place of [filler.length / 2 + 15, filler.length / 2]) {
      for (const gap of [' ', '']) {
        const prompt = filler.slice(0, place) + gap + request + gap + filler.slice(place);
        expect((await guard.check({ prompt })).score).toBeGreaterThanOrEqual(alone.score - 1e-6);
      }
    }
  });

  it('takes a text apart that fits only because its tokens are unknown', async () => {
    const pictures = '😀🌻🍰🏖️🎈🐕🌧️🍓🚲🎵'.repeat(15);
    const prompt = `${pictures} ${pictures} You are a stupid lazy ugly dog. ${pictures}`;
    const { windows, score } = await guard.check({ prompt });
    expect(windows).toBeGreaterThan(3);
    expect(score).toBeGreaterThanOrEqual(
      (await guard.check({ prompt: 'You are a stupid lazy ugly dog.' })).score - 1e-6,
    );
    expect((await guard.check({ prompt: 'what a nice plan for my garden '.repeat(8) })).windows).toBe(1);
  });

  it('reads all of both texts of an exchange, their windows as many as their lengths ask for', async () => {
    const long = (count: number) => 'what a nice plan for my garden '.repeat(count);
    const count = async (prompt: string, response: string) => (await guard.check({ prompt, response })).windows;
    const [one, ten] = [await count(long(20), long(20)), await count(long(200), long(200))];
    expect(ten / one).toBeGreaterThan(8);
    expect(ten / one).toBeLessThan(12);
    expect(await count('how are you', long(20))).toBeLessThan(one);
    const { score, window } = await guard.check({ prompt: long(20), response: `${long(20)} you stupid dog` });
    const alone = {
      prompt: long(20).slice(...window.prompt),
      response: `${long(20)} you stupid dog`.slice(...window.response!),
    };
    expect((await guard.check(alone)).score).toBeCloseTo(score, 6);
  });

  it('gives the place in the text as it was written where it normalises', async () => {
    const plain = 'the cake is nice '.repeat(30);
    const prompt = `\u200b\u200b${plain}yоu stupid dоg`; // Cyrillic о
    const normalising = await Guard.load(folder, { normalise: true, views: false });
    const answer = await normalising.check({ prompt });
    const undisguised = await normalising.check({ prompt: `${plain}you stupid dog` });
    expect(answer.score).toBe(undisguised.score);
    expect(answer.window.prompt.map((offset) => Math.max(0, offset - 2))).toEqual(undisguised.window.prompt);
    await normalising.dispose();
  });

  it('names the disguise whose decoded text scores worst', async () => {
    const literal = await Guard.load(folder, { views: false });
    const texts = ['you are a stupid lazy dog', 'my song is awful and ugly', 'what a lovely plan for it'];
    const disguised = texts.map((text) => btoa(text));
    for (const [index, encoded] of disguised.entries()) {
      const [plain, view, undecoded] = [
        await guard.check({ prompt: texts[index]! }),
        await guard.check({ prompt: `this is it ${encoded}` }),
        await literal.check({ prompt: `this is it ${encoded}` }),
      ];
      expect(view.score).toBeCloseTo(Math.max(plain.score, undecoded.score), 6);
      if (plain.score > undecoded.score) {
        expect(view).toMatchObject({ view: 'base64', windows: 2, window: { prompt: [11, 11 + encoded.length] } });
      }
    }
    await literal.dispose();
  });

  it('takes threshold and temperature from guard.json, and options before it', async () => {
    const settled = await copy('settled');
    await writeSettings(settled, { threshold: 0.01, temperature: 2 });
    const prompt = 'you are my friend';
    const { score } = await guard.check({ prompt });
    const warm = await Guard.load(settled);
    const answer = await warm.check({ prompt });
    expect(answer).toMatchObject({ verdict: 'unsafe', threshold: 0.01 });
    expect(Math.log(answer.score / (1 - answer.score))).toBeCloseTo(Math.log(score / (1 - score)) / 2, 5);
    const other = await Guard.load(settled, { threshold: 0.99 });
    expect(await other.check({ prompt })).toMatchObject({ verdict: 'safe', threshold: 0.99, score: answer.score });
    await Promise.all([warm.dispose(), other.dispose()]);
  });

  it('finds the unsafe label by its name', async () => {
    const turned = await Guard.load(await writeTinyGuard(at('turned'), { labels: ['unsafe', 'safe'] }));
    const usual = await Guard.load(await writeTinyGuard(at('usual')));
    const [one, other] = [await turned.check({ prompt: 'a song' }), await usual.check({ prompt: 'a song' })];
    expect(one.score).toBeCloseTo(1 - other.score, 6);
    await Promise.all([turned.dispose(), usual.dispose()]);
  });

  it('answers any string', async () => {
    const strings = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('\ud800', '\udc00', '\0', ' ', '\u200b', 'a', '😀', '-', '.'),
        maxLength: 300,
      }),
      fc.constantFrom('', '\0', '\ud800', '﷽'.repeat(200), '- . '.repeat(90)),
    );
    await fc.assert(
      fc.asyncProperty(strings, fc.option(strings, { nil: undefined }), async (prompt, response) => {
        const request = response === undefined ? { prompt } : { prompt, response };
        const { score, window } = await guard.check(request);
        expect(score >= 0 && score <= 1).toBe(true);
        expect(window.prompt[1]).toBeLessThanOrEqual(prompt.length);
        expect(window.response === undefined).toBe(response === undefined);
      }),
      { numRuns: 150 },
    );
  });

  it('answers a hundred thousand characters', async () => {
    const small = await Guard.load(await writeTinyGuard(at('wide'), { positions: 512 }));
    const { windows } = await small.check({ prompt: 'the garden is a nice place for stupid dogs '.repeat(2500) });
    expect(windows).toBeGreaterThan(50);
    await small.dispose();
  });

  it.each([
    [{}, /prompt: expected a string, got undefined/],
    [{ prompt: 'a', response: null }, /response: expected a string, got null/],
  ])('refuses %o', async (request, message) => {
    await expect(guard.check(request as never)).rejects.toThrow(message);
  });
});

describe('a guard at an address', () => {
  const files = new Map<string, Uint8Array | number>();
  const fetched: string[] = [];
  const serve = (async (input: string | URL, { method = 'GET' }: RequestInit = {}) => {
    const { pathname } = new URL(input);
    fetched.push(`${method} ${pathname}`);
    const body = files.get(pathname.slice('/mine/'.length)) ?? 404;
    if (typeof body === 'number') return new Response(null, { status: body });
    const headers = { 'content-length': String(body.byteLength) };
    return new Response(method === 'HEAD' ? null : (body as Uint8Array<ArrayBuffer>), { headers });
  }) as typeof fetch;
  const hub = { fetch: serve };

  beforeAll(async () => {
    for (const file of ['config.json', 'vocab.txt', 'onnx/model.onnx'])
      files.set(file, await readFile(path.join(folder, file)));
  });

  it('answers as from its folder, and reads no weights', async () => {
    const seen: { loaded: number; total: number }[] = [];
    for (const address of ['https://guards.test/mine', new URL('https://guards.test/mine/')]) {
      const far = await Guard.load(address, { hub, onProgress: (progress) => seen.push(progress) });
      const request = { prompt: 'you are a stupid dog', response: 'thank you' };
      expect(await far.check(request)).toEqual(await guard.check(request));
      await far.dispose();
    }
    expect(fetched.filter((request) => /safetensors/.test(request))).toEqual([]);
    const total = ['config.json', 'vocab.txt', 'onnx/model.onnx'].reduce(
      (sum, file) => sum + (files.get(file) as Uint8Array).byteLength,
      0,
    );
    expect(seen.at(-1)).toEqual({ loaded: total, total });
    expect(seen.every(({ loaded, total }) => loaded <= total)).toBe(true);
  });

  it.each([
    [
      'https://guards.test/mine?token=x',
      /ConfigError: https:\/\/guards\.test\/mine: a guard's address is that of its folder/,
    ],
    ['https://guards.test/other', /FormatError: https:\/\/guards\.test\/other has no config\.json/],
    [new URL('ftp://guards.test/mine'), /ConfigError: .*begins with https/],
  ])('is one clear error where %s is none', async (address, message) => {
    const error: Error = await Guard.load(address, { hub }).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(`${error.name}: ${error.message}`).toMatch(message);
  });

  it('is one clear error where the server fails, or a signal stops it', async () => {
    const load = (options: object) => Guard.load('https://guards.test/mine', { hub, ...options });
    const config = files.get('config.json')!;
    files.set('config.json', 503);
    await expect(load({})).rejects.toThrow(/mine\/config\.json: the server answers 503\. Try again later/);
    files.set('config.json', config);
    const away = { fetch: () => Promise.reject(new TypeError('fetch failed')) };
    await expect(load({ hub: away })).rejects.toThrow(/cannot be reached \(fetch failed\)\. Are you online/);
    const cut = {
      fetch: (async (input: string, request: RequestInit) => {
        const { headers } = await serve(input, request);
        return new Response('{', { headers });
      }) as typeof fetch,
    };
    await expect(load({ hub: cut })).rejects.toThrow(/config\.json broke off after 1 of \d+ bytes/);
    const stop = new AbortController();
    const stopped = load({ signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
  });
});

describe('requests of the same moment', () => {
  it('are scored as each alone, in their order', async () => {
    const words = ['nice', 'stupid', 'cake', 'how to', 'you are', 'ugly', 'dog', 'the plan'];
    const requests = Array.from({ length: 60 }, (_, index) => {
      const prompt = Array.from({ length: 1 + ((index * 7) % 23) }, (_, word) => words[(index + word * 3) % 8]).join(
        ' ',
      );
      return index % 3 === 0 ? { prompt, response: 'nice dog' } : { prompt };
    });
    const together = await guard.checkMany(requests);
    for (const [index, request] of requests.entries()) {
      const alone = await guard.check(request);
      expect(together[index]).toEqual({ ...alone, score: expect.closeTo(alone.score, 6) });
    }
  });

  it('stop when their signal says so, and nobody else’s', async () => {
    const stop = new AbortController();
    const long = 'a nice dog '.repeat(2000);
    const [stopped, other] = [guard.check({ prompt: long }, { signal: stop.signal }), guard.check({ prompt: 'dog' })];
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    expect((await other).windows).toBe(1);
    await expect(guard.check({ prompt: 'a' }, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('are refused by a guard that was disposed of', async () => {
    const gone = await Guard.load(folder);
    await gone.dispose();
    await gone.dispose();
    await expect(gone.check({ prompt: 'a' })).rejects.toThrow(/disposed of/);
  });
});

describe('a folder that is no guard is one clear error', () => {
  const edit = async (where: string, change: (json: Record<string, unknown>) => void) => {
    const file = path.join(where, 'config.json');
    const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    change(json);
    await writeFile(file, JSON.stringify(json));
  };
  const cases: [string, (where: string) => Promise<unknown>, RegExp][] = [
    ['without config.json', (where) => rm(path.join(where, 'config.json')), /has no config\.json/],
    ['without ONNX', (where) => rm(path.join(where, 'onnx'), { recursive: true }), /Export it first: harmaug export/],
    ['without a tokenizer', (where) => rm(path.join(where, 'vocab.txt')), /has no tokenizer we can read/],
    ['of three labels', (where) => writeTinyGuard(where, { labels: ['a', 'b', 'c'] }), /two labels.*has 3/],
    [
      'of another tokenizer',
      (where) =>
        writeFile(
          path.join(where, 'vocab.txt'),
          `[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n${'x\n'.repeat(3)}${Array.from({ length: 900 }, (_, n) => `w${n}`).join('\n')}`,
        ),
      /the tokenizer has ids up to/,
    ],
    [
      'of larger embeddings in its config than in its model',
      (where) =>
        edit(where, (json) => {
          json.vocab_size = 5000;
        }).then(async () =>
          writeFile(
            path.join(where, 'vocab.txt'),
            `[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n${Array.from({ length: 900 }, (_, n) => `w${n}`).join('\n')}`,
          ),
        ),
      /does not take the tokenizer's ids/,
    ],
    [
      'with a corrupt model',
      (where) => writeFile(path.join(where, 'onnx', 'model.onnx'), 'no model'),
      /onnxruntime cannot open it/,
    ],
    [
      'with categories that the model lacks',
      (where) =>
        edit(where, (json) => {
          json.category_names = ['a', 'b'];
        }),
      /gives 2 logits and 3 categories, expected 2 and 2/,
    ],
    ['with settings of another kind', (where) => writeSettings(where, { threshold: 7 }), /guard\.json: "threshold"/],
    ['with a config that is no JSON', (where) => writeFile(path.join(where, 'config.json'), '{'), /not valid JSON/],
  ];
  it.each(cases)('%s', async (name, spoil, message) => {
    const where = await copy(name.replaceAll(' ', '-'));
    await spoil(where);
    await expect(Guard.load(where)).rejects.toThrow(message);
  });

  it.each([
    [{ dtype: 'int8' as const }, /has no onnx\/model_quantized\.onnx\. Export it first/],
    [{ dtype: 'int3' as never }, /dtype: expected one of int8, q4, fp32, got "int3"/],
    [{ maxLength: 12 }, /maxLength: expected at least 19 tokens, got 12/],
    [{ maxLength: 65 }, /maxLength: expected a whole number of at most 64, got 65/],
    [{ threshold: -1 }, /options: "threshold": expected a number from 0 to 1/],
  ])('options %o', async (options, message) => {
    await expect(Guard.load(folder, options)).rejects.toThrow(message);
  });
});
