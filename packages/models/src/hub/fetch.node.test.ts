import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { HubError } from './errors.ts';
import { COMMIT, gitHash, sha256 } from './loopback.testing.node.ts';
import { fetchHubFile, openModelFolder } from './open-folder.node.ts';
import { bytesOf, modelFiles, openScene, patterned, type Scene, TINY, tree } from './scene.testing.node.ts';

const REVISION = `GET hub /api/models/${TINY}/revision/main`;
const TREE = `GET hub /api/models/${TINY}/tree/${COMMIT}`;
const resolve = (file: string) => `GET hub /${TINY}/resolve/${COMMIT}/${file}`;

const indexOf = (map: Record<string, string>) =>
  bytesOf(JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));

/** What Python's library leaves: blobs, links and a ref, no listing. */
async function keepAsPython({ repo }: Scene, names: readonly string[]): Promise<string> {
  const folder = path.join(repo, 'snapshots', COMMIT);
  for (const part of ['blobs', 'refs', path.join('snapshots', COMMIT)])
    await mkdir(path.join(repo, part), { recursive: true });
  for (const name of names) {
    const bytes = modelFiles.get(name)!;
    const blob = name.endsWith('.safetensors') ? sha256(bytes) : gitHash(bytes);
    await writeFile(path.join(repo, 'blobs', blob), bytes);
    await symlink(path.join('..', '..', 'blobs', blob), path.join(folder, name));
  }
  await writeFile(path.join(repo, 'refs', 'main'), COMMIT);
  return folder;
}

describe('a hub id', () => {
  it('brings what a model needs and nothing else, laid out as Python’s cache', async () => {
    const scene = await openScene();
    const { folder, source } = await openModelFolder(TINY, scene.options);
    expect(source).toEqual({ id: TINY, commit: COMMIT });
    const hashes = Object.fromEntries([...modelFiles].map(([name, bytes]) => [name, gitHash(bytes)]));
    const large = sha256(modelFiles.get('model.safetensors')!);
    const files = ['chat_template.jinja', 'config.json', 'tokenizer.json', 'vocab.txt'];
    const blobs = [...files.map((name) => hashes[name]!), large];
    const snapshot = [...files.map((name) => [name, hashes[name]!]), ['model.safetensors', large]];
    expect(await tree(scene.repo)).toEqual(
      [
        ...blobs.map((blob) => `blobs/${blob}`),
        'refs/main',
        ...snapshot.map(([name, blob]) => `snapshots/${COMMIT}/${name} -> ../../blobs/${blob}`),
        `trees/${COMMIT}.json`,
      ].sort(),
    );
    expect(folder).toBe(path.join(scene.repo, 'snapshots', COMMIT));
    expect(await readFile(path.join(scene.repo, 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(sha256(await readFile(path.join(folder, 'model.safetensors')))).toBe(large);
    const requests = scene.hub.takeRequests();
    expect(requests.slice(0, 3)).toEqual([REVISION, TREE, resolve('config.json')]);
    expect(requests).toHaveLength(2 + 5 + 1); // two questions, five files, one of them through the CDN
  });

  it('brings the first exported model that is there in place of the weights, and its tensors', async () => {
    const files = new Map(modelFiles)
      .set('onnx/model.onnx_data', patterned(900))
      .set('onnx/model_q4.onnx', patterned(9));
    const scene = await openScene(files);
    const exported = ['onnx/model_quantized.onnx', 'onnx/model.onnx', 'onnx/model_q4.onnx'];
    const { env, ...options } = scene.options;
    const { folder } = await openModelFolder(TINY, {
      ...options,
      env: { ...env, HF_ENDPOINT: 'http://127.0.0.1:9' }, // the option comes before it
      endpoint: `${scene.hub.endpoint}/`,
      exported,
      also: ['guard.json'],
    });
    const names = (await tree(folder)).map((line) => line.split(' ')[0]);
    const expected = [
      'chat_template.jinja',
      'config.json',
      'onnx/model.onnx',
      'onnx/model.onnx_data',
      'tokenizer.json',
    ];
    expect(names).toEqual([...expected, 'vocab.txt']);
    const wanting = openModelFolder(TINY, { ...options, endpoint: 'ftp://x', exported });
    await expect(wanting).rejects.toThrow(/^endpoint must be a web address/);
  });

  it('asks one question when the cache has it, none for a commit, none offline', async () => {
    const scene = await openScene();
    const first = await openModelFolder(TINY, scene.options);
    scene.hub.takeRequests();
    expect(await openModelFolder(`hf:${TINY}`, scene.options)).toEqual(first);
    expect(scene.hub.takeRequests()).toEqual([REVISION]);
    expect(await openModelFolder(`${TINY}@${COMMIT}`, scene.options)).toEqual(first);
    const env = { ...scene.options.env, HF_HUB_OFFLINE: '1' };
    expect(await openModelFolder(TINY, { ...scene.options, env })).toEqual(first);
    expect(scene.hub.takeRequests()).toEqual([]);
  });

  it('does without the hub when it is down and a copy is there, and says so', async () => {
    const scene = await openScene();
    const first = await openModelFolder(TINY, scene.options);
    await scene.hub.stop();
    expect(await openModelFolder(TINY, scene.options)).toEqual(first);
    expect(scene.waits).toEqual([]);
    expect(scene.notices).toEqual([
      expect.stringMatching(`cannot be reached .*Going on with the copy in the cache, commit ${COMMIT}\\.$`),
    ]);
  });

  it('offline and not in the cache, or not whole, is an error', async () => {
    const scene = await openScene();
    const options = { ...scene.options, env: { ...scene.options.env, HF_HUB_OFFLINE: '1' } };
    const open = () => openModelFolder(TINY, options);
    await expect(open()).rejects.toMatchObject({ problem: 'offline' });
    await expect(open()).rejects.toThrow(/no folder owner\/tiny.*HF_HUB_OFFLINE is set.*Unset it once/);
    const { folder } = await openModelFolder(TINY, scene.options);
    await rm(path.join(folder, 'tokenizer.json'));
    await expect(open()).rejects.toMatchObject({ problem: 'offline' });
    expect(scene.hub.takeRequests()).toHaveLength(8); // of the one that was allowed to
  });

  it('finds what Python fetched: offline as it is, online with what it lacks', async () => {
    const scene = await openScene();
    const folder = await keepAsPython(scene, ['config.json', 'model.safetensors']);
    const env = { ...scene.options.env, HF_HUB_OFFLINE: '1' };
    expect(await openModelFolder(TINY, { ...scene.options, env })).toMatchObject({ folder });
    expect(await openModelFolder(TINY, scene.options)).toMatchObject({ folder });
    const files = ['tokenizer.json', 'vocab.txt', 'chat_template.jinja'].map(resolve);
    expect(scene.hub.takeRequests()).toEqual([REVISION, TREE, ...files]);
  });

  it('of a branch that has moved brings the new files, and the old bytes are not fetched again', async () => {
    const scene = await openScene();
    await openModelFolder(TINY, scene.options);
    scene.hub.takeRequests();
    const next = 'f'.repeat(40);
    const files = new Map([...modelFiles, ['config.json', bytesOf('{"model_type":"electra"}')] as const]);
    scene.hub.repos.set(TINY, { id: TINY, files, branches: { main: next, [next]: next } });
    const { folder, source } = await openModelFolder(TINY, scene.options);
    expect(source?.commit).toBe(next);
    expect(await readFile(path.join(folder, 'config.json'), 'utf8')).toContain('electra');
    expect(scene.hub.takeRequests().filter((line) => line.includes('resolve'))).toHaveLength(1);
    expect(await openModelFolder(`${TINY}@${COMMIT}`, scene.options)).toMatchObject({ source: { commit: COMMIT } });
  });

  it('of split weights brings the index and the files that it names', async () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
    const files = new Map([
      ['config.json', bytesOf('{}')],
      ['model.safetensors.index.json', indexOf({ a: shards[0], b: shards[1] })],
      [shards[0], patterned(3000, 2)],
      [shards[1], patterned(2000, 3)],
      ['model-00003-of-00003.safetensors', patterned(10)],
    ]);
    const scene = await openScene(files);
    const { folder } = await openModelFolder(TINY, scene.options);
    expect(await tree(folder)).toHaveLength(4);
    await scene.hub.stop();
    await openModelFolder(TINY, scene.options);
    await rm(path.join(folder, shards[1]));
    await expect(openModelFolder(TINY, scene.options)).rejects.toMatchObject({ problem: 'unreachable' });
  });

  it.each([
    [
      'names a file that is not there',
      { a: 'gone.safetensors' },
      'names gone.safetensors, which the repository does not',
    ],
    ['names a file outside', { a: '../../evil.safetensors' }, 'Expected the name of a .safetensors file'],
  ])('of split weights whose index %s is refused', async (_, map, problem) => {
    const scene = await openScene(
      new Map([
        ['config.json', bytesOf('{}')],
        ['model.safetensors.index.json', indexOf(map)],
      ]),
    );
    const open = openModelFolder(TINY, scene.options);
    await expect(open).rejects.toThrow(FormatError);
    await expect(open).rejects.toThrow(problem);
  });

  it('of pickled weights alone fetches nothing and says how to convert them', async () => {
    const { 'model.safetensors': _, ...rest } = Object.fromEntries(modelFiles);
    const scene = await openScene(new Map(Object.entries(rest)));
    const open = openModelFolder(TINY, scene.options);
    await expect(open).rejects.toThrow(
      /owner\/tiny has no model.safetensors. Found pytorch_model.bin.*safe_serialization/,
    );
    expect(scene.hub.takeRequests()).toEqual([REVISION, TREE]);
  });

  it('brings the tokenizer alone, or further files, where that is asked for', async () => {
    const scene = await openScene();
    const { folder } = await openModelFolder(TINY, { ...scene.options, parts: 'tokenizer' });
    expect((await tree(folder)).map((line) => line.split(' ')[0])).toEqual([
      'chat_template.jinja',
      'tokenizer.json',
      'vocab.txt',
    ]);
    await openModelFolder(TINY, { ...scene.options, also: ['README.md', 'absent.bin'] });
    expect((await tree(folder)).map((line) => line.split(' ')[0])).toContain('README.md');
  });

  it('of a long listing is read page by page', async () => {
    const scene = await openScene();
    scene.hub.pageSize = 3;
    await openModelFolder(TINY, scene.options);
    expect(scene.hub.takeRequests().filter((line) => line === TREE)).toHaveLength(3);
  });

  it('refuses a config of a size that none has before fetching it', async () => {
    const scene = await openScene();
    scene.hub.faults.push(({ url }, response) => {
      if (!url.includes('/tree/')) return false;
      const entry = { type: 'file', oid: 'a'.repeat(40), size: 10 };
      response.end(
        JSON.stringify([
          { ...entry, path: 'config.json', size: 2e8 },
          { ...entry, path: 'model.safetensors' },
        ]),
      );
      return true;
    });
    await expect(openModelFolder(TINY, scene.options)).rejects.toThrow(
      'config.json has 200000000 bytes, expected at most',
    );
  });

  it('reports bytes of all files, never fewer than before', async () => {
    const scene = await openScene();
    await openModelFolder(TINY, scene.options);
    const totalBytes = 100_000 + 21 + 2 + 6 + 7;
    expect(scene.progress.at(-1)).toMatchObject({ doneBytes: totalBytes, totalBytes });
    const done = scene.progress.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(new Set(scene.progress.map(({ file }) => file)).size).toBe(5);
  });
});

describe('a name', () => {
  it('is the folder that is there, even when it could be an id', async () => {
    const scene = await openScene();
    const folder = path.join(scene.cache, '..', 'owner', 'tiny');
    await mkdir(folder, { recursive: true });
    const relative = path.relative(process.cwd(), folder);
    expect(await openModelFolder(relative, scene.options)).toEqual({ folder: relative, source: null });
    expect(await openModelFolder('not-there', scene.options)).toEqual({ folder: 'not-there', source: null });
    expect(scene.hub.takeRequests()).toEqual([]);
  });

  it('of a data set is no model', async () => {
    const scene = await openScene();
    await expect(openModelFolder('datasets/owner/set', scene.options)).rejects.toThrow(ConfigError);
  });
});

describe('a single file', () => {
  it('comes from a model or a data set, wherever it lies in it', async () => {
    const scene = await openScene();
    const rows = patterned(900, 5);
    scene.hub.repos.set('datasets/owner/rows', {
      id: 'datasets/owner/rows',
      files: new Map([['data/a b.parquet', rows]]),
    });
    const model = await fetchHubFile(TINY, 'onnx/model.onnx', scene.options);
    expect(new Uint8Array(await readFile(model.path))).toEqual(modelFiles.get('onnx/model.onnx'));
    const { path: file, source } = await fetchHubFile('datasets/owner/rows', 'data/a b.parquet', scene.options);
    expect(new Uint8Array(await readFile(file))).toEqual(rows);
    expect(source).toEqual({ id: 'datasets/owner/rows', commit: COMMIT });
    expect(file).toContain('datasets--owner--rows');
    await scene.hub.stop();
    expect(await fetchHubFile(TINY, 'onnx/model.onnx', scene.options)).toEqual(model);
  });

  it('that is not there, or no path, is an error', async () => {
    const scene = await openScene();
    const missing = fetchHubFile(TINY, 'model.gguf', scene.options);
    await expect(missing).rejects.toThrow(HubError);
    await expect(missing).rejects.toThrow('owner/tiny has no file model.gguf');
    await expect(fetchHubFile(TINY, '../x', scene.options)).rejects.toThrow(ConfigError);
    await expect(fetchHubFile('tiny', 'x', scene.options)).rejects.toThrow('is no hub id');
  });
});
