/** A hundred steps of the published training loop, from the same weights on the same batches: scripts/official_loop.py. */
import path from 'node:path';
import { type NamedTensor, trainingProgram } from '@harmaug/models';
import { loadWeights, readSafetensors } from '@harmaug/models/node';
import { type BatchTensor, createGraph, emitModel, schedules } from 'onnx-grad';
import { createSession, createTrainer } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { categoryLoss, distillationLoss } from './objective.ts';

const folder = path.join(import.meta.dirname, 'fixtures', 'official-loop');
const STEPS = 100;

/** One step's part of a tensor that stacks those of all steps. */
function part({ dtype, shape, data }: NamedTensor, step: number): BatchTensor {
  const bytes = data.slice().buffer;
  const values = dtype === 'int64' ? new BigInt64Array(bytes) : new Float32Array(bytes);
  const size = values.length / shape[0]!;
  return { dtype: dtype as 'int64', dims: shape.slice(1), data: values.subarray(step * size, (step + 1) * size) };
}

async function losses(lambda: number): Promise<number[]> {
  const stacked = await readSafetensors(path.join(folder, 'batches.safetensors'));
  const { model, weights } = await loadWeights(folder, { head: 'sequence-classification' });
  const loss = distillationLoss(model.output, { lambda, temperature: 1 });
  const learningRate = schedules.linear({ peak: 3e-3, warmupSteps: 10, totalSteps: STEPS });
  const trainer = await createTrainer(trainingProgram(model, { loss, weights, weightDecay: 0.1 }), { learningRate });
  const found: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const names = ['input_ids', 'attention_mask', 'labels', 'soft_labels'];
    const batch = names.map((name) => [name, part(stacked.get(name)!, step)] as const);
    found.push((await trainer.step(Object.fromEntries(batch))).loss);
  }
  await trainer.dispose();
  return found;
}

describe('the loss of a student', () => {
  it('trains as the published code does, to 1e-3 in each of a hundred steps', async () => {
    const stacked = await readSafetensors(path.join(folder, 'batches.safetensors'));
    const theirs = new Float32Array(stacked.get('losses')!.data.slice().buffer);
    const ours = await losses(0.5);
    expect(Math.max(...ours.map((loss, step) => Math.abs(loss - theirs[step]!)))).toBeLessThan(1e-3);
    expect(ours.at(-1)!).toBeLessThan(ours[0]! / 3);
  });

  it('of categories is their mean over the rows that have one, as a share of all, and nothing without any', async () => {
    const graph = createGraph();
    const loss = categoryLoss(graph.input('logits', 'float32', ['batch', 3]));
    const session = await createSession(emitModel(graph, new Map([['loss', loss]])));
    const run = async (labels: bigint[]) => {
      const logits = new Tensor('float32', Float32Array.of(1, 2, 3, 0, 0, 0, 5, 1, 1), [3, 3]);
      const results = await session.run({
        logits,
        category_labels: new Tensor('int64', BigInt64Array.from(labels), [3]),
      });
      return Number(results.loss!.data[0]);
    };
    const softmax = Math.exp(3) / (Math.exp(1) + Math.exp(2) + Math.exp(3));
    expect(await run([2n, -100n, -100n])).toBeCloseTo(-Math.log(softmax) / 3, 5);
    expect(await run([2n, 1n, -100n])).toBeCloseTo((-Math.log(softmax) + Math.log(3)) / 3, 5);
    expect(await run([-100n, -100n, -100n])).toBeCloseTo(0);
    await session.release();
  });

  it('reads only the labels that have a weight', () => {
    const inputsAt = (lambda: number) => {
      const graph = createGraph();
      distillationLoss(graph.input('logits', 'float32', ['batch', 2]), { lambda, temperature: 1 });
      return graph.inputs.map(({ name }) => name);
    };
    expect(inputsAt(0)).toEqual(['logits', 'labels']);
    expect(inputsAt(1)).toEqual(['logits', 'soft_labels']);
    expect(inputsAt(0.5)).toEqual(['logits', 'labels', 'soft_labels']);
  });
});
