import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FormatError } from '../errors.ts';
import { readModelFile, writeModelFile } from './files.node.ts';
import { scaleAndShiftModel } from './models.testing.ts';

const WIDTH = 1500; // 6,000 bytes per tensor: beyond one page, so that offsets need alignment
const external = { externalDataThresholdBytes: 0 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onnx-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('model files', () => {
  it('are one file when the tensors fit', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH));
    expect(await readdir(folder)).toEqual(['model.onnx']);
    expect(await readModelFile(path)).toEqual(scaleAndShiftModel(WIDTH));
  });

  it('keep large tensors page-aligned in a second file, and read back unchanged', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH), external);
    expect((await readdir(folder)).sort()).toEqual(['model.onnx', 'model.onnx_data']);
    expect((await stat(`${path}_data`)).size).toBe(8192 + 6000);
    expect((await stat(path)).size).toBeLessThan(1000);
    expect(await readModelFile(path)).toEqual(scaleAndShiftModel(WIDTH));
  });

  it('keep small tensors in the model', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(8), external);
    expect(await readdir(folder)).toEqual(['model.onnx']);
  });

  it.each([{}, external])('run in onnxruntime (%o)', async (options) => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH), options);
    const session = await ort.InferenceSession.create(path);
    const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(WIDTH).fill(10), [1, WIDTH]) });
    const expected = Float32Array.from({ length: WIDTH }, (_, index) => 10 * (2 + (index % 7)) - 3 + (index % 7));
    expect(y?.data).toEqual(expected);
  });

  it('replace an older file and leave nothing beside it', async () => {
    const path = join(folder, 'model.onnx');
    await writeFile(path, 'older');
    await writeModelFile(path, scaleAndShiftModel(3));
    expect(await readdir(folder)).toEqual(['model.onnx']);
    expect((await readModelFile(path)).graph.name).toBe('scale-and-shift');
  });

  it('stay as they were when the new model cannot be encoded', async () => {
    const path = join(folder, 'model.onnx');
    await writeFile(path, 'older');
    const model = { ...scaleAndShiftModel(WIDTH), irVersion: 0.5 };
    await expect(writeModelFile(path, model, external)).rejects.toThrow(/irVersion is 0.5/);
    expect(await readdir(folder)).toEqual(['model.onnx']);
    expect(await readFile(path, 'utf8')).toBe('older');
  });

  it('are refused by size before they are read', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH));
    await expect(readModelFile(path, { limits: { maxBytes: 1000 } })).rejects.toThrow(/more than the limit of 1000/);
  });

  it('are refused when their data file is missing or too short', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH), external);
    await truncate(`${path}_data`, 14_000);
    await expect(readModelFile(path)).rejects.toThrow(
      /"shift": its data ends at byte 14192 of "model.onnx_data", which has 14000/,
    );
    await rm(`${path}_data`);
    await expect(readModelFile(path)).rejects.toThrow(/"scale": its data file "model.onnx_data" is missing/);
  });

  it('share the data of tensors that name one region, and refuse regions that overlap', async () => {
    const path = join(folder, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH), external);
    const bytes = await readFile(path);
    const rewrite = (from: string, to: string) =>
      writeFile(path, Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1'));
    await rewrite('8192', '0000'); // both at the beginning
    const [scale, shift] = (await readModelFile(path)).graph.initializers;
    expect(shift!.data).toBe(scale!.data);
    await rewrite('8192', '4096'); // the second begins inside the first
    await truncate(`${path}_data`, 4096 + 6000);
    await expect(readModelFile(path)).rejects.toThrow(/"shift": its data in "model.onnx_data" overlap/);
  });

  it('are refused when their data file is a link out of the folder', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, new Uint8Array(20_000));
    const inside = join(folder, 'inside');
    await mkdir(inside);
    const path = join(inside, 'model.onnx');
    await writeModelFile(path, scaleAndShiftModel(WIDTH), external);
    await rm(`${path}_data`);
    await symlink(secret, `${path}_data`);
    await expect(readModelFile(path)).rejects.toThrow(FormatError);
    await expect(readModelFile(path)).rejects.toThrow(/leaves the folder/);
  });

  it('may both be links into one folder, as in a download cache', async () => {
    const blobs = join(folder, 'blobs');
    const snapshot = join(folder, 'snapshot');
    await mkdir(blobs);
    await mkdir(snapshot);
    await writeModelFile(join(blobs, 'model.onnx'), scaleAndShiftModel(WIDTH), external);
    for (const name of ['model.onnx', 'model.onnx_data']) await symlink(join(blobs, name), join(snapshot, name));
    expect(await readModelFile(join(snapshot, 'model.onnx'))).toEqual(scaleAndShiftModel(WIDTH));
  });
});
