import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { oracleFolder } from '../../test/oracle-cases.node.ts';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { loadWeights, saveModel } from '../load.node.ts';
import type { NamedTensor } from './dtypes.ts';
import { readFolder, writeFolder } from './folder.node.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';

const floats = (...values: number[]): NamedTensor => {
  return { dtype: 'float32', shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) };
};
const config = { model_type: 'bert' };
const weights = new Map([
  ['a', floats(1, 2, 3)],
  ['b', floats(4, 5)],
  ['c', floats(6)],
  ['d', floats(7, 8)],
]);
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`) as [string, string, string];
const INDEX = 'model.safetensors.index.json';

/** The weights in three files: a; b, c; d. */
async function sharded(): Promise<string> {
  const folder = await temporaryFolder();
  await writeFolder(folder, { config, weights }, { maxShardBytes: 12 });
  return folder;
}

async function changeMap(folder: string, change: (map: Record<string, string>) => void): Promise<void> {
  const file = path.join(folder, INDEX);
  const index = JSON.parse(await readFile(file, 'utf8'));
  change(index.weight_map);
  await writeFile(file, JSON.stringify(index));
}

describe('weights in several files', () => {
  it('come back as they were written', async () => {
    const folder = await sharded();
    expect((await readdir(folder)).sort()).toEqual(['config.json', FIRST, SECOND, THIRD, INDEX]);
    const read = await readFolder(folder);
    expect(read.weights).toEqual(weights);
    expect(read.weightFiles).toEqual([FIRST, SECOND, THIRD].map((name) => path.join(folder, name)));
    expect(JSON.parse(await readFile(path.join(folder, INDEX), 'utf8'))).toEqual({
      metadata: { total_size: 32 },
      weight_map: { a: FIRST, b: SECOND, c: SECOND, d: THIRD },
    });
  });

  it('that transformers wrote are those of the single file, and we split them as it does', async () => {
    const [single, several] = ['bert-tiny', 'bert-sharded'].map((name) => path.join(oracleFolder, name)) as [
      string,
      string,
    ];
    const options = { head: 'sequence-classification' } as const;
    const [one, many] = [await loadWeights(single, options), await loadWeights(several, options)];
    expect(many.weightFiles.length).toBeGreaterThan(3);
    expect(many.weights).toEqual(one.weights);
    const folder = await temporaryFolder();
    const read = await readFolder(several);
    const theirs = JSON.parse(await readFile(path.join(several, INDEX), 'utf8'));
    const { max_shard_size: limit } = JSON.parse(await readFile(path.join(several, 'meta.json'), 'utf8'));
    const inOrder = new Map([...read.weights].sort(([a], [b]) => (a < b ? -1 : 1))); // as transformers takes them
    await writeFolder(folder, { config: read.config, weights: inOrder }, { maxShardBytes: limit });
    const ours = JSON.parse(await readFile(path.join(folder, INDEX), 'utf8'));
    expect(ours.weight_map).toEqual(theirs.weight_map);
    expect(ours.metadata.total_size).toBe(theirs.metadata.total_size);
    for (const file of many.weightFiles.map((name) => path.basename(name))) {
      expect(await readFile(path.join(folder, file))).toEqual(await readFile(path.join(several, file)));
    }
  });

  it('are written by saveModel where a limit is given', async () => {
    const folder = await temporaryFolder();
    const loaded = await loadWeights(path.join(oracleFolder, 'bert-tiny'), { head: 'sequence-classification' });
    await saveModel(folder, loaded, { maxShardBytes: 4000 });
    const again = await loadWeights(folder, { head: 'sequence-classification' });
    expect(again.weightFiles.length).toBeGreaterThan(3);
    expect(again.weights).toEqual(loaded.weights);
    await expect(saveModel(folder, loaded, { maxShardBytes: 0 })).rejects.toThrow(ConfigError);
  });

  it('leave nothing of an older model, and are left nothing of, whichever way it goes', async () => {
    const folder = await sharded();
    await writeFile(path.join(folder, 'optimizer.safetensors'), 'mine');
    const one = new Map([['a', floats(9)]]);
    const limits = [undefined, 4, 12, undefined];
    const expected = [
      ['model.safetensors'],
      ['model.safetensors'],
      [FIRST, SECOND, THIRD, INDEX],
      ['model.safetensors'],
    ];
    for (const [at, limit] of limits.entries()) {
      const next = at === 2 ? weights : one;
      await writeFolder(folder, { config, weights: next }, limit === undefined ? {} : { maxShardBytes: limit });
      expect((await readdir(folder)).sort()).toEqual(['config.json', ...expected[at]!, 'optimizer.safetensors'].sort());
      expect((await readFolder(folder)).weights).toEqual(next);
    }
  });

  it('leave the old ones as they are when writing fails', async () => {
    const folder = await sharded();
    const before = await readdir(folder);
    const broken = new Map([...weights, ['e', { ...floats(1), shape: [2] }] as const]);
    await expect(writeFolder(folder, { config, weights: broken }, { maxShardBytes: 12 })).rejects.toThrow(ConfigError);
    expect(await readdir(folder)).toEqual(before);
    expect((await readFolder(folder)).weights).toEqual(weights);
  });

  it('come second where a single file is there too', async () => {
    const folder = await sharded();
    await writeSafetensors(path.join(folder, 'model.safetensors'), new Map([['a', floats(9)]]));
    expect([...(await readFolder(folder)).weights.keys()]).toEqual(['a']);
  });
});

describe('an index that lies is one error', () => {
  it.each<[string, (folder: string) => Promise<unknown>, string]>([
    ['a file that is missing', (f) => rm(path.join(f, SECOND)), `names 3 files, 1 of them missing: ${SECOND}`],
    [
      'a path outside',
      (f) => changeMap(f, (map) => Object.assign(map, { a: '../model.safetensors' })),
      'Expected the name of a .safetensors file in the same folder',
    ],
    [
      'a tensor that its file lacks',
      (f) => changeMap(f, (map) => Object.assign(map, { e: FIRST })),
      `${FIRST} has no tensor "e"`,
    ],
    [
      'a tensor given to another file than has it',
      (f) => changeMap(f, (map) => Object.assign(map, { b: THIRD })),
      `${THIRD} has no tensor "b"`,
    ],
    [
      'a tensor that two files have',
      async (f) => {
        const third = await readSafetensors(path.join(f, THIRD));
        await writeSafetensors(path.join(f, THIRD), new Map([...third, ['a', floats(0)]]));
      },
      `${THIRD} has the tensor "a", which ${INDEX} gives to ${FIRST}`,
    ],
    [
      'a tensor that it does not know',
      (f) => changeMap(f, (map) => delete map.c),
      `${SECOND} has the tensor "c", which ${INDEX} does not know`,
    ],
    [
      'a file that is cut off',
      async (f) => writeFile(path.join(f, FIRST), (await readFile(path.join(f, FIRST))).subarray(0, -4)),
      'may be cut off',
    ],
    ['JSON that is none', (f) => writeFile(path.join(f, INDEX), '{'), 'not valid JSON'],
  ])('%s', async (_, damage, problem) => {
    const folder = await temporaryFolder();
    await cp(await sharded(), folder, { recursive: true });
    await damage(folder);
    await expect(readFolder(folder)).rejects.toThrow(FormatError);
    await expect(readFolder(folder)).rejects.toThrow(problem);
  });
});
