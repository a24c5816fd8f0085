import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { diskError } from './disk.node.ts';
import { HubError } from './errors.ts';
import { fetchFiles } from './fetch.node.ts';
import { parseHubId } from './id.ts';
import { COMMIT, type Fault, type Seen, sha256 } from './loopback.testing.node.ts';
import { fetchHubFile, openModelFolder } from './open-folder.node.ts';
import { defaultPolicy } from './retry.ts';
import { modelFiles, openScene, patterned, type Scene, TINY, tree } from './scene.testing.node.ts';
import { openHub } from './settings.node.ts';
import { wantFile } from './wanted.ts';

const FILE = 'model.safetensors';
const weights = modelFiles.get(FILE)!;
const BLOB = sha256(weights);

const fetchWeights = ({ options }: Scene) => fetchHubFile(TINY, FILE, options);
/** Of a file's bytes: what is compared, for it is quick. */
const hashOf = async (file: string) => sha256(await readFile(file));
const ranges = ({ hub }: Scene) => hub.seen.filter(({ at }) => at === 'cdn').map(({ range }) => range ?? 'all');

/** Faults of the CDN, one a request; after the last it works. */
function faulty(scene: Scene, ...faults: readonly ((seen: Seen, response: ServerResponse) => void)[]): void {
  const left = [...faults];
  const fault: Fault = (seen, response) => {
    if (seen.at !== 'cdn' || left.length === 0) return false;
    left.shift()!(seen, response);
    return true;
  };
  scene.hub.faults.push(fault);
}

const startOf = ({ range }: Seen) => Number(/\d+/.exec(range ?? '0')![0]);

/** Sends `count` bytes of what is asked for and breaks the connection. */
function cutAfter(count: number, bytes = weights, etag = '"v1"') {
  return (seen: Seen, response: ServerResponse) => {
    const begin = startOf(seen);
    const total = bytes.byteLength;
    const range = { 'content-range': `bytes ${begin}-${total - 1}/${total}` };
    response.writeHead(begin > 0 ? 206 : 200, { etag, 'content-length': total - begin, ...(begin > 0 ? range : {}) });
    response.write(bytes.subarray(begin, begin + count), () => response.destroy());
  };
}

/** What is in the cache beside whole blobs. */
async function leftovers({ repo }: Scene): Promise<string[]> {
  return (await tree(repo)).filter((line) => line.includes('incomplete') || line.includes('snapshots'));
}

async function leave(scene: Scene, bytes: Uint8Array): Promise<void> {
  await mkdir(path.join(scene.repo, 'blobs'), { recursive: true });
  await writeFile(path.join(scene.repo, 'blobs', `${BLOB}.incomplete`), bytes);
}

describe('a download that is cut', () => {
  it('goes on at the byte where it stopped, wherever that is', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, async (counts) => {
        const scene = await openScene();
        faulty(scene, ...counts.map((count) => cutAfter(count, weights, `"cdn-${BLOB.slice(0, 8)}"`)));
        const { path: file } = await fetchWeights(scene);
        expect(await hashOf(file)).toBe(BLOB);
        const begins = ranges(scene).map((range) => (range === 'all' ? 0 : Number(/\d+/.exec(range)![0])));
        expect(begins).toEqual([...begins].sort((a, b) => a - b));
        expect(begins.at(-1)).toBeLessThanOrEqual(counts.reduce((sum, count) => sum + count, 0));
        expect(await leftovers(scene)).toHaveLength(1); // the link
        await scene.hub.stop();
      }),
      { numRuns: 15 },
    );
  });

  it('for ever gives up after five times, and the next call goes on', async () => {
    const scene = await openScene();
    faulty(scene, ...Array.from({ length: 5 }, () => cutAfter(1000)));
    const failed = fetchWeights(scene);
    await expect(failed).rejects.toMatchObject({ problem: 'unreachable' });
    expect(scene.waits).toEqual([1000, 2000, 4000, 8000]);
    expect(await leftovers(scene)).toEqual([`blobs/${BLOB}.incomplete`]);
    scene.hub.seen.length = 0;
    const { path: file } = await fetchWeights(scene);
    expect(await hashOf(file)).toBe(BLOB);
    expect(ranges(scene)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  it('starts over when the file has changed meanwhile', async () => {
    const scene = await openScene();
    faulty(scene, cutAfter(5000, patterned(weights.byteLength, 9), '"another"'));
    const { path: file } = await fetchWeights(scene);
    expect(await hashOf(file)).toBe(BLOB);
    expect(scene.hub.seen.filter(({ at }) => at === 'cdn').map(({ ifRange }) => ifRange)).toEqual([
      undefined,
      '"another"',
    ]);
  });

  it('and a server that knows no ranges: it starts over', async () => {
    const scene = await openScene();
    const whole = (_: Seen, response: ServerResponse) =>
      void response.writeHead(200, { 'content-length': weights.byteLength }).end(weights);
    faulty(scene, cutAfter(5000), whole);
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
  });

  it.each([
    ['416', (_: Seen, response: ServerResponse) => void response.writeHead(416).end()],
    [
      'another range',
      (_: Seen, response: ServerResponse) =>
        void response
          .writeHead(206, { 'content-range': `bytes 7-9/${weights.byteLength}`, 'content-length': 3 })
          .end('abc'),
    ],
  ])('and answered with %s: it starts over', async (_, answer) => {
    const scene = await openScene();
    faulty(scene, cutAfter(5000), answer);
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
    expect(ranges(scene)).toEqual(['all', 'bytes=5000-', 'all']);
  });
});

describe('what an earlier run left', () => {
  it('is gone on with', async () => {
    const scene = await openScene();
    await leave(scene, weights.subarray(0, 60_000));
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
    expect(ranges(scene)).toEqual(['bytes=60000-']);
  });

  it('is complete and only needs its name', async () => {
    const scene = await openScene();
    await leave(scene, weights);
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
    expect(ranges(scene)).toEqual([]);
  });

  it.each([
    ['other bytes', patterned(60_000, 4)],
    ['too many', patterned(weights.byteLength + 1, 4)],
  ])('is given up when it turns out to be %s', async (_, bytes) => {
    const scene = await openScene();
    await leave(scene, bytes);
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
    expect(ranges(scene).at(-1)).toBe('all');
  });
});

describe('bytes that are not those of the listing', () => {
  const send =
    (bytes: Uint8Array, headers = {}) =>
    (_: Seen, response: ServerResponse) =>
      void response.writeHead(200, headers).end(bytes);

  it.each([
    ['another hash', [send(patterned(weights.byteLength, 7))], 'came with another SHA-256'],
    ['more than listed', [send(patterned(weights.byteLength + 5))], 'is longer than the 100000 bytes'],
  ])('%s: removed, and one error', async (_, faults, problem) => {
    const scene = await openScene();
    faulty(scene, ...faults);
    const failed = fetchWeights(scene);
    await expect(failed).rejects.toMatchObject({ problem: 'damaged' });
    await expect(failed).rejects.toThrow(problem);
    expect(await leftovers(scene)).toEqual([]);
    expect(await hashOf((await fetchWeights(scene)).path)).toBe(BLOB);
  });

  it('a small file with another hash', async () => {
    const scene = await openScene();
    scene.hub.faults.push(
      ({ url }, response) => url.endsWith('config.json') && !!response.end('{"model_type":"evil"}'),
    );
    await expect(openModelFolder(TINY, scene.options)).rejects.toThrow(
      'config.json of owner/tiny came with another git hash',
    );
    expect(await leftovers(scene)).toEqual([]);
  });

  it('a login page in their place is an answer that does not fit', async () => {
    const scene = await openScene();
    const page = new TextEncoder().encode('<html>Log in</html>');
    faulty(scene, ...Array.from({ length: 5 }, () => send(page, { 'content-length': page.byteLength })));
    await expect(fetchWeights(scene)).rejects.toThrow(/does not fit the 100000 bytes.*login page/);
  });

  it('another size, hash or commit than listed, said beforehand: nothing is fetched', async () => {
    for (const header of [{ 'x-linked-size': '5' }, { 'x-linked-etag': '"0"' }, { 'x-repo-commit': 'e'.repeat(40) }]) {
      const scene = await openScene();
      scene.hub.faults.push(({ url }, response) => {
        if (!url.includes('/resolve/')) return false;
        response.writeHead(302, { location: `${scene.hub.cdn}/blobs/${BLOB}`, ...header }).end();
        return true;
      });
      await expect(fetchWeights(scene)).rejects.toThrow('offers another model.safetensors than it lists');
      expect(await leftovers(scene)).toEqual([`blobs/${BLOB}.incomplete`]);
    }
  });
});

describe('a download', () => {
  it('that stands still is asked for again', async () => {
    const scene = await openScene();
    faulty(
      scene,
      (_, response) =>
        void response.writeHead(200, { 'content-length': weights.byteLength }).write(weights.subarray(0, 10)),
    );
    const policy = { ...defaultPolicy, idleTimeoutMs: 50, answerTimeoutMs: 5000 };
    const { folder } = await fetchFiles(openHub(scene.options, policy), parseHubId(TINY)!, wantFile(FILE));
    expect(await hashOf(path.join(folder, FILE))).toBe(BLOB);
    expect(scene.notices).toEqual([expect.stringContaining('no answer within 0.05 s')]);
  });

  it('is ended by its signal, and what was fetched is kept', async () => {
    const scene = await openScene();
    const stop = new AbortController();
    const reason = new Error('stopped');
    faulty(scene, (_, response) => {
      response.writeHead(200, { 'content-length': weights.byteLength }).write(weights.subarray(0, 3000));
      setTimeout(() => stop.abort(reason), 100);
    });
    await expect(fetchHubFile(TINY, FILE, { ...scene.options, signal: stop.signal })).rejects.toBe(reason);
    expect(await leftovers(scene)).toEqual([`blobs/${BLOB}.incomplete`]);
    expect(await readFile(path.join(scene.repo, 'blobs', `${BLOB}.incomplete`))).toHaveLength(3000);
  });

  it('without room on the disk is one error, before a byte is fetched', async () => {
    const scene = await openScene();
    scene.hub.faults.push(({ url }, response) => {
      if (!url.includes('/tree/')) return false;
      const lfs = { oid: BLOB, size: 2 ** 39 + 2 ** 38, pointerSize: 130 };
      response.end(JSON.stringify([{ type: 'file', path: FILE, oid: 'a'.repeat(40), size: lfs.size, lfs }]));
      return true;
    });
    const failed = fetchWeights(scene);
    await expect(failed).rejects.toMatchObject({ problem: 'disk' });
    await expect(failed).rejects.toThrow(/824634 MB are needed, \d+ MB are free. Make room, or set HF_HOME/);
    expect(ranges(scene)).toEqual([]);
    const full = diskError(Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' }), '/cache');
    expect(full).toMatchObject({ problem: 'disk', message: expect.stringContaining('/cache is full') });
  });

  it('into a cache that cannot be written to is one error', async () => {
    const scene = await openScene();
    const file = path.join(await temporaryFolder([['file', '']]), 'file');
    const failed = fetchHubFile(TINY, FILE, { ...scene.options, cache: file });
    await expect(failed).rejects.toThrow(HubError);
    await expect(failed).rejects.toThrow(/cannot be used \((ENOTDIR|EEXIST)\). Set HF_HOME/);
  });

  it('by two processes at once happens once, and both have it', async () => {
    const large = patterned(3_000_000);
    const scene = await openScene(new Map([...modelFiles, [FILE, large]]));
    faulty(scene, (_, response) => {
      response.writeHead(200, { 'content-length': large.byteLength }).write(large.subarray(0, 1_000_000));
      setTimeout(() => response.end(large.subarray(1_000_000)), 1000); // long enough for both to be there
    });
    const code = `import { openModelFolder } from ${JSON.stringify(path.join(import.meta.dirname, 'open-folder.node.ts'))};
      console.log((await openModelFolder('${TINY}')).folder);`;
    const run = () =>
      new Promise<string>((resolve) => {
        const args = ['--conditions=source', '--input-type=module', '-e', code];
        const child = spawn(process.execPath, args, {
          env: { ...process.env, ...scene.options.env, HF_HUB_OFFLINE: '' },
        });
        let text = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
        child.on('close', () => resolve(text.trim()));
      });
    const folder = path.join(scene.repo, 'snapshots', COMMIT);
    expect(await Promise.all([run(), run()])).toEqual([folder, folder]);
    expect(await hashOf(path.join(folder, FILE))).toBe(sha256(large));
    expect(ranges(scene)).toEqual(['all']);
    expect(await leftovers(scene)).toHaveLength(5);
  }, 120_000); // of a busy machine
});
