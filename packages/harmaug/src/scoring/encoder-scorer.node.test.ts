import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { collate } from '@harmaug/models';
import { loadModel, saveModel } from '@harmaug/models/node';
import { emitModel, FormatError } from 'onnx-grad';
import { createSession, writeModelFile } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../distill/tiny.testing.node.ts';
import { openEncoderScorer } from './encoder-scorer.node.ts';
import { openScorer } from './open-scorer.node.ts';

let folder: string;
let guard: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  guard = await writeTinyStudent(path.join(folder, 'guard'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function score(from: string, rows: ReturnType<typeof tinyRows>, maxLength?: number) {
  const scorer = await openEncoderScorer(from, maxLength ? { maxLength } : {});
  const scores = await scorer.score(rows);
  await scorer.dispose();
  return scores;
}

describe('an encoder as scorer', () => {
  it('gives each row, in order, what the model gives it alone', async () => {
    const rows = tinyRows(40);
    const scores = await score(guard, rows);
    const { model, weights, tokenizer } = await loadModel(guard, { head: 'sequence-classification' });
    const session = await createSession(emitModel(model.graph, new Map([['logits', model.output]])));
    for (const [index, { prompt, response }] of rows.entries()) {
      const batch = collate([tokenizer.encode(prompt, response)], model.config);
      const inputs = Object.entries(batch).map(([name, { dims, data }]) => [
        name,
        new Tensor('int64', data as BigInt64Array, dims),
      ]);
      const parameters = [...model.scope.parameters.values()].map(({ name, shape }) => [
        name,
        new Tensor('float32', weights.get(name)!, shape),
      ]);
      const known = Object.fromEntries(
        [...inputs, ...parameters].filter(([name]) => session.inputNames.includes(name as string)),
      );
      const [safe, unsafe] = (await session.run(known)).logits!.data as Float32Array;
      expect(scores[index]!.score).toBeCloseTo(Math.exp(unsafe!) / (Math.exp(safe!) + Math.exp(unsafe!)), 5);
      expect(scores[index]!.margin).toBeCloseTo(unsafe! - safe!, 4);
    }
    await session.release();
  });

  it('says of each row whether it was cut', async () => {
    const long = { id: 'long', prompt: 'what a lovely plan '.repeat(30) };
    const scores = await score(guard, [...tinyRows(2), long], 32);
    expect(scores.map(({ isTruncated }) => isTruncated)).toEqual([false, false, true]);
  });

  it('finds the unsafe label by its name', async () => {
    const loaded = await loadModel(guard, { head: 'sequence-classification', labels: ['unsafe', 'safe'] });
    const turned = path.join(folder, 'turned');
    await saveModel(turned, loaded);
    const [usual] = await score(guard, tinyRows(1));
    const [other] = await score(turned, tinyRows(1));
    expect(other!.margin).toBe(-usual!.margin!);
  });

  it('scores the same as an ONNX file', async () => {
    const { model, weights } = await loadModel(guard, { head: 'sequence-classification' });
    const initializers = new Map([...weights].map(([name, values]) => [name, new Uint8Array(values.buffer)]));
    const file = path.join(guard, 'onnx', 'model.onnx');
    await mkdir(path.dirname(file));
    await writeModelFile(file, emitModel(model.graph, new Map([['logits', model.output]]), { initializers }));
    const scorer = await openScorer(file);
    expect(await scorer.score(tinyRows(20))).toEqual(await score(guard, tinyRows(20)));
    await scorer.dispose();
    await expect(openScorer(path.join(folder, 'none.onnx'))).rejects.toThrow(/none\.onnx does not exist/);
    await writeFile(path.join(guard, 'onnx', 'broken.onnx'), 'no model');
    await expect(openScorer(path.join(guard, 'onnx', 'broken.onnx'))).rejects.toThrow(FormatError);
  });

  it('refuses a classifier that is no guard', async () => {
    const three = await writeTinyStudent(path.join(folder, 'three'), { labels: ['joy', 'fear', 'anger'] });
    await expect(openEncoderScorer(three)).rejects.toThrow(FormatError);
    await expect(openEncoderScorer(three)).rejects.toThrow(
      /a guard has two labels, safe and unsafe; this classifier has 3/,
    );
  });
});
