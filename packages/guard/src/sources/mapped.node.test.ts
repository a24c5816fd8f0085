import { mkdtemp, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { writeTinyGuard } from '../../test/tiny-guard.node.ts';
import { folderSource } from './folder.node.ts';
import { mapTensors } from './mapped.node.ts';

const folder = await writeTinyGuard(await mkdtemp(path.join(tmpdir(), 'harmaug-mapped-')), { int8: true });
const fileOf = (name: string) => path.join(folder, 'onnx', name);

async function answer(model: string | Uint8Array, beside?: string): Promise<number[]> {
  const extra = beside === undefined ? {} : { session: { model_external_initializers_file_folder_path: beside } };
  const session = await (typeof model === 'string'
    ? ort.InferenceSession.create(model, { extra })
    : ort.InferenceSession.create(model, { extra }));
  const tensor = (...ids: bigint[]) => new ort.Tensor('int64', BigInt64Array.from(ids), [1, ids.length]);
  const masks = { attention_mask: tensor(1n, 1n, 1n), token_type_ids: tensor(0n, 0n, 0n) };
  const { logits } = await session.run({ input_ids: tensor(2n, 9n, 3n), ...masks });
  await session.release();
  return [...(logits!.data as Float32Array)];
}

it.each(['model.onnx', 'model_quantized.onnx'])('%s answers the same with its tensors mapped', async (name) => {
  const mapped = mapTensors(fileOf(name), 0)!;
  expect(mapped.folder).toBe(path.join(folder, 'onnx'));
  expect(mapped.bytes.length).toBeLessThan(0.8 * (await stat(fileOf(name))).size);
  expect(await answer(mapped.bytes, mapped.folder)).toEqual(await answer(fileOf(name)));
});

it('follows a link to where the tensors are, as a download cache has them', async () => {
  const elsewhere = await mkdtemp(path.join(tmpdir(), 'harmaug-mapped-'));
  await symlink(fileOf('model.onnx'), path.join(elsewhere, 'link.onnx'));
  const mapped = mapTensors(path.join(elsewhere, 'link.onnx'), 0)!;
  expect(await answer(mapped.bytes, mapped.folder)).toEqual(await answer(fileOf('model.onnx')));
});

it('leaves small files, and what is no model, to onnxruntime', async () => {
  expect(mapTensors(fileOf('model.onnx'))).toBeNull();
  for (const bytes of [
    [],
    [0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0x3a, 5, 1],
    [7],
    Array.from({ length: 20 }, () => 255),
  ]) {
    await writeFile(fileOf('broken.onnx'), Uint8Array.from(bytes));
    expect(mapTensors(fileOf('broken.onnx'))).toBeNull();
  }
  await expect(folderSource(folder).openModel('onnx/broken.onnx', {})).rejects.toThrow(
    /broken.onnx: onnxruntime cannot/,
  );
});
