import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { HubError, type HubProblem } from './errors.ts';
import type { Seen } from './loopback.testing.node.ts';
import { openModelFolder } from './open-folder.node.ts';
import { openScene, type Scene, TINY } from './scene.testing.node.ts';

type Answer = (response: ServerResponse, scene: Scene) => void;

/** Answers the first `count` requests whose address has `part` in it. */
function answering(scene: Scene, part: string, answer: Answer, count = Number.POSITIVE_INFINITY): void {
  let left = count;
  scene.hub.faults.push(({ url }: Seen, response) => {
    if (!url.includes(part) || left-- <= 0) return false;
    answer(response, scene);
    return true;
  });
}

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end('nothing to see');
const body =
  (text: string, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, headers).end(text);

const withToken = (scene: Scene) => ({ ...scene.options, env: { ...scene.options.env, HF_TOKEN: 'hf_secret' } });

describe('what the hub refuses is one sentence with a remedy', () => {
  it.each([
    [
      'a model that is not there',
      'owner/none',
      false,
      'denied',
      /no public model owner\/none\. Check the name\. If it is private/,
    ],
    ['the same with a token', 'owner/none', true, 'missing', /has no model owner\/none\. Check the name/],
    [
      'a revision',
      `${TINY}@v9`,
      false,
      'missing',
      /owner\/tiny has no revision "v9"\. Its branches and tags are listed at/,
    ],
  ] as const)('%s', async (_, id, hasToken, problem, message) => {
    const scene = await openScene();
    const open = openModelFolder(id, hasToken ? withToken(scene) : scene.options);
    await expect(open).rejects.toMatchObject({ problem, message: expect.stringMatching(message) });
    await expect(open).rejects.toThrow(`There is no folder ${id}, and as a hub id:`);
  });

  it('a gated model, without a token and with one that may not read it', async () => {
    const scene = await openScene(undefined, { gatedFor: 'hf_other' });
    const page = `${scene.hub.endpoint}/${TINY}`;
    await expect(openModelFolder(`hf:${TINY}`, scene.options)).rejects.toThrow(
      `owner/tiny is gated or private. Accept its licence at ${page} and set HF_TOKEN to a token of that account.`,
    );
    await expect(openModelFolder(`hf:${TINY}`, withToken(scene))).rejects.toThrow(
      `Accept its licence at ${page} with the account whose token HF_TOKEN holds`,
    );
    const env = { ...scene.options.env, HF_TOKEN: 'hf_other' };
    await openModelFolder(TINY, { ...scene.options, env });
  });

  it.each<[string, string, Answer, HubProblem, RegExp]>([
    [
      'a token that is not accepted',
      '/api/',
      status(401, { 'x-error-message': 'Invalid credentials in Authorization header' }),
      'denied',
      /does not accept the token in HF_TOKEN\. Make a new one at/,
    ],
    [
      'a file that is gone',
      'vocab.txt',
      status(404, { 'x-error-code': 'EntryNotFound' }),
      'missing',
      /has no file vocab\.txt/,
    ],
    ['a status of another world', '/api/', status(418), 'answer', /answers 418, which is not expected/],
    ['too many requests', '/api/', status(429), 'busy', /takes no more requests for now \(429\)/],
    ['a wait of an hour', '/api/', status(429, { 'retry-after': '3600' }), 'busy', /\(429\)/],
    ['a fault', '/tree/', status(503), 'busy', /answers 503, a fault of its own/],
    ['a fault of the CDN', '/blobs/', status(403), 'busy', /where the hub keeps the file, answers 403/],
    ['a page for people', '/api/', body('<html>Log in</html>'), 'answer', /something that is not its JSON.*login page/],
    ['JSON of another kind', '/tree/', body('{}'), 'answer', /something that is not its JSON/],
    ['no commit', '/revision/', body('{"sha":"main"}'), 'answer', /without the commit/],
    ['an endless answer', '/tree/', body(`[${' '.repeat(17_000_000)}]`), 'answer', /more than 16 MB/],
    [
      'a name that leads out',
      '/tree/',
      body('[{"type":"file","path":"../../.bashrc","oid":"x","size":1}]'),
      'answer',
      /lists "\.\.\/\.\.\/\.bashrc", which is no name for a file inside a folder/,
    ],
    [
      'a listing that goes in a circle',
      '/tree/',
      (response, { hub }) =>
        void response.writeHead(200, { link: `<${hub.endpoint}/api/tree/x>; rel="next"` }).end('[]'),
      'answer',
      /on more than 1000 pages/,
    ],
    [
      'redirects in a circle',
      '/api/',
      (response, { hub }) => void response.writeHead(307, { location: `${hub.endpoint}/api/again` }).end(),
      'answer',
      /sends one in a circle/,
    ],
    ['a redirect to a file', '/api/', status(302, { location: 'file:///etc/passwd' }), 'answer', /no web address/],
    ['a redirect to nowhere', '/api/', status(302), 'answer', /no web address/],
    [
      'a redirect with a password',
      '/api/',
      status(302, { location: 'http://a:b@127.0.0.1/' }),
      'answer',
      /no web address/,
    ],
  ])('%s', async (_, part, answer, problem, message) => {
    const scene = await openScene();
    answering(scene, part, answer);
    const open = openModelFolder(`hf:${TINY}`, withToken(scene));
    await expect(open).rejects.toThrow(HubError);
    await expect(open).rejects.toMatchObject({ problem, message: expect.stringMatching(message) });
    const error = await open.catch((caught: Error) => caught);
    expect(JSON.stringify([error, (error as Error).stack, (error as Error).cause, scene.notices])).not.toContain(
      'hf_secret',
    );
  });

  it('asks again after a fault, and waits as long as it is told to', async () => {
    const scene = await openScene();
    answering(scene, '/revision/', status(429, { 'retry-after': '7' }), 1);
    answering(scene, '/tree/', status(502), 2);
    answering(scene, '/blobs/', status(500), 1);
    await openModelFolder(TINY, scene.options);
    expect(scene.waits).toEqual([7000, 1000, 2000, 1000]);
    expect(scene.notices[0]).toMatch(/takes no more requests for now \(429\); trying again in 7 s$/);
  });

  it('asks no more than five times', async () => {
    const scene = await openScene();
    answering(scene, '/revision/', status(500));
    await expect(openModelFolder(TINY, scene.options)).rejects.toMatchObject({ problem: 'busy', status: 500 });
    expect(scene.hub.seen).toHaveLength(5);
  });

  it('goes on with the copy in the cache, whatever the hub says', async () => {
    const scene = await openScene();
    const first = await openModelFolder(TINY, scene.options);
    for (const code of [401, 403, 429, 500]) {
      scene.hub.faults.length = 0;
      answering(scene, '/api/', status(code));
      expect(await openModelFolder(TINY, scene.options)).toEqual(first);
    }
    expect(scene.notices).toHaveLength(4);
    expect(scene.waits).toEqual([]);
  });

  it('not reached, asks five times and says what to look at', async () => {
    const scene = await openScene();
    await scene.hub.stop();
    await expect(openModelFolder(TINY, scene.options)).rejects.toThrow(
      /cannot be reached \(ECONNREFUSED\)\. Are you online\?/,
    );
    expect(scene.waits).toHaveLength(4);
  });
});

describe('the token', () => {
  it('goes to the hub and nowhere else, not even back to it from elsewhere', async () => {
    const scene = await openScene();
    answering(
      scene,
      '/blobs/',
      (response, { hub }) => void response.writeHead(302, { location: `${hub.endpoint}/stray` }).end(),
      1,
    );
    answering(scene, '/stray', (response) => void response.writeHead(500).end(), 1);
    await openModelFolder(TINY, withToken(scene));
    const sent = scene.hub.seen.map(({ at, url, authorization }) => ({ at, isStray: url === '/stray', authorization }));
    for (const { at, isStray, authorization } of sent) {
      expect(authorization).toBe(at === 'hub' && !isStray ? 'Bearer hf_secret' : undefined);
    }
    expect(sent.filter(({ at }) => at === 'cdn')).toHaveLength(2);
    expect(sent.filter(({ isStray }) => isStray)).toHaveLength(1);
    expect(scene.hub.seen.some(({ url }) => url.includes('hf_secret'))).toBe(false);
  });

  it('never follows a redirect from https to http', async () => {
    const urls: string[] = [];
    const fetch = (async (url: URL) => {
      urls.push(String(url));
      return new Response(null, { status: 302, headers: { location: 'http://hub.example/plain' } });
    }) as typeof globalThis.fetch;
    const env = { HF_HOME: '/nonexistent', HF_TOKEN: 'hf_secret', HF_ENDPOINT: 'https://hub.example' };
    const scene = await openScene();
    await expect(openModelFolder(TINY, { ...scene.options, env, fetch, cache: scene.cache })).rejects.toThrow(
      'from https to http',
    );
    expect(urls).toHaveLength(1);
  });
});
