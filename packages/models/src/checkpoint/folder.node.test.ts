import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import type { NamedTensor } from './dtypes.ts';
import { readFolder, writeFolder } from './folder.node.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';

const floats = (...values: number[]): NamedTensor => {
  return { dtype: 'float32', shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) };
};
const weights = new Map([
  ['b', floats(1, 2)],
  ['a', floats(3)],
]);

describe('a safetensors file', () => {
  it('holds what was written', async () => {
    const path = join(await temporaryFolder(), 'w.safetensors');
    await writeSafetensors(path, weights);
    expect(await readSafetensors(path)).toEqual(weights);
  });

  it('gives the wanted tensors only, each in memory of its own size', async () => {
    const path = join(await temporaryFolder(), 'w.safetensors');
    await writeSafetensors(path, weights);
    const read = await readSafetensors(path, { names: ['a'] });
    expect([...read.keys()]).toEqual(['a']);
    expect(read.get('a')!.data.buffer.byteLength).toBe(4);
    await expect(readSafetensors(path, { names: ['c'] })).rejects.toThrow('has no tensor "c"');
  });

  it('is refused when it is cut off, before memory is taken for it', async () => {
    const path = join(await temporaryFolder(), 'w.safetensors');
    const header = '{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}';
    const prefix = new Uint8Array(8);
    prefix[0] = header.length;
    await writeFile(path, Buffer.concat([prefix, Buffer.from(header)]));
    await expect(readSafetensors(path)).rejects.toThrow('may be cut off');
  });

  it('leaves the old file alone, and nothing beside it, when writing fails', async () => {
    const folder = await temporaryFolder([['w.safetensors', 'old']]);
    const path = join(folder, 'w.safetensors');
    await expect(writeSafetensors(path, new Map([['a', { ...floats(1), shape: [2] }]]))).rejects.toThrow(ConfigError);
    const broken = { dtype: 'uint8', shape: [1], data: { byteLength: 1 } } as unknown as NamedTensor;
    await expect(writeSafetensors(path, new Map([['a', broken]]))).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['w.safetensors']);
  });
});

describe('a checkpoint folder', () => {
  it('comes back as it was written, private to its owner', async () => {
    const folder = join(await temporaryFolder(), 'new', 'checkpoint');
    const tokenizerFiles = new Map([['vocab.txt', new TextEncoder().encode('[PAD]\n')]]);
    await writeFolder(folder, { config: { model_type: 'bert' }, weights, tokenizerFiles });
    const read = await readFolder(folder);
    expect(read.config).toEqual({ model_type: 'bert' });
    expect(read.weights).toEqual(weights);
    expect(new TextDecoder().decode(read.tokenizerFiles.get('vocab.txt'))).toBe('[PAD]\n');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['no config.json', [], 'has no config.json'],
    ['a config.json that is not JSON', [['config.json', '{']], 'not valid JSON'],
    ['a config.json that is a list', [['config.json', '[]']], 'must be a JSON object'],
    ['a config.json that is too large', [['config.json', ' '.repeat(10_000_001)]], 'at most 10000000'],
    [
      'no weights',
      [
        ['config.json', '{}'],
        ['notes.md', ''],
      ],
      'Found: config.json, notes.md',
    ],
    [
      'pickled weights',
      [
        ['config.json', '{}'],
        ['pytorch_model.bin', ''],
      ],
      'safe_serialization=True',
    ],
    [
      'pickled weights in several files',
      [
        ['config.json', '{}'],
        ['pytorch_model.bin.index.json', ''],
      ],
      'safe_serialization=True',
    ],
    [
      'an index without files',
      [
        ['config.json', '{}'],
        ['model.safetensors.index.json', '{}'],
      ],
      'weight_map must be an object',
    ],
  ] as [string, [string, string][], string][])('with %s is refused', async (_, files, problem) => {
    const folder = await temporaryFolder(files);
    await expect(readFolder(folder)).rejects.toThrow(FormatError);
    await expect(readFolder(folder)).rejects.toThrow(problem);
  });

  it('must be a folder', async () => {
    const folder = await temporaryFolder([['file', '']]);
    await expect(readFolder(join(folder, 'missing'))).rejects.toThrow('does not exist');
    await expect(readFolder(join(folder, 'file'))).rejects.toThrow('is not a folder');
  });
});
