import { describe, expect, it } from 'vitest';
import { createRandom } from '../graph/gradient-check.testing.node.ts';
import type { Graph, Value } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { createTrainer } from './create.node.ts';
import { crossEntropy } from './losses.ts';
import type { Batch, TrainingProgram } from './program.ts';

const [INPUTS, HIDDEN, CLASSES] = [20, 36, 3];
const STEPS = 50;

type Product = (x: Value, weight: Value) => Value;
const float: Product = (x, weight) => ops.gemm(x, weight, null, { transB: true });

/** Two layers with products of a kind, dropout between them, and a head of floats. */
function forward(graph: Graph, product: Product, mask: Value | null) {
  const x = graph.input('x', 'float32', ['rows', INPUTS]);
  const parameters = Object.entries({
    first: [HIDDEN, INPUTS],
    second: [HIDDEN, HIDDEN],
    head: [CLASSES, HIDDEN],
  }).map(([name, dims]) => [name, graph.input(name, 'float32', dims)] as const);
  const { first, second, head } = Object.fromEntries(parameters) as Record<'first' | 'second' | 'head', Value>;
  const hidden = ops.tanh(product(x, first));
  const logits = float(ops.tanh(product(mask ? ops.mul(hidden, mask) : hidden, second)), head);
  return { logits, parameters };
}

function program(product: Product = ops.int8Gemm, dropout = 0.1): TrainingProgram {
  const graph = createGraph();
  const mask = dropout > 0 ? graph.input('mask', 'float32', ['rows', HIDDEN]) : null;
  const { logits, parameters } = forward(graph, product, mask);
  const random = createRandom(1);
  return {
    graph,
    loss: crossEntropy(logits, graph.input('labels', 'int64', ['rows'])),
    dropout: mask ? [{ value: mask, probability: dropout }] : [],
    parameters: parameters.map(([name, value]) => {
      const length = (value.dims as number[]).reduce((a, b) => a * b, 1);
      return { name, value, initial: Float32Array.from({ length }, () => random() - 0.5), weightDecay: 0.01 };
    }),
  };
}

/** Random rows; the class is where the sum of the first numbers lies. */
function batchOf(seed: number, rows = 32): Batch {
  const random = createRandom(seed);
  const x = Float32Array.from({ length: rows * INPUTS }, () => random() * 2 - 1);
  const labels = BigInt64Array.from({ length: rows }, (_, row) => {
    const sum = x[row * INPUTS]! + x[row * INPUTS + 1]!;
    return sum < -0.5 ? 0n : sum < 0.5 ? 1n : 2n;
  });
  return {
    x: { dtype: 'float32', dims: [rows, INPUTS], data: x },
    labels: { dtype: 'int64', dims: [rows], data: labels },
  };
}

const options = { learningRate: 1e-2, seed: 7, threads: 1 };

async function losses(trained: TrainingProgram, count = STEPS): Promise<number[]> {
  const trainer = await createTrainer(trained, options);
  const found: number[] = [];
  for (let step = 0; step < count; step++) found.push((await trainer.step(batchOf(step))).loss);
  await trainer.dispose();
  return found;
}

describe('training in int8', () => {
  it('gives the same bits from the same seed, and learns as float32 does', async () => {
    const found = await losses(program());
    expect(await losses(program())).toEqual(found);
    const floating = await losses(program(float));
    expect(found).not.toEqual(floating);
    const last = (values: readonly number[]) => values.slice(-10).reduce((a, b) => a + b, 0) / 10;
    expect(last(found)).toBeLessThan(found[0]! / 2);
    expect(Math.abs(last(found) - last(floating))).toBeLessThan(0.02);
  });

  it('goes on from a state as if it had not stopped: the bytes are made anew from the weights', async () => {
    const unbroken = await losses(program(), 20);
    const trainer = await createTrainer(program(), options);
    for (let step = 0; step < 11; step++) await trainer.step(batchOf(step));
    const state = await trainer.state();
    expect([...state.parameters.keys()]).toEqual(['first', 'second', 'head']);
    expect([...state.ranges!.keys()]).toEqual(['first', 'second']);
    await trainer.dispose();
    const resumed = await createTrainer(program(), options);
    await resumed.restore(state);
    const rest: number[] = [];
    for (let step = 11; step < 20; step++) rest.push((await resumed.step(batchOf(step))).loss);
    await resumed.dispose();
    expect(rest).toEqual(unbroken.slice(11));
  });

  it('predicts with the bytes it trains with, of the weights as they are now', async () => {
    const trainer = await createTrainer(program(ops.int8Gemm, 0), options);
    const predictors = await Promise.all(
      [ops.int8Gemm, float].map((product) => {
        const graph = createGraph();
        const { logits } = forward(graph, product, null);
        const labels = graph.input('labels', 'int64', ['rows']);
        return trainer.predictor(graph, new Map([['loss', crossEntropy(logits, labels)]]));
      }),
    );
    await expect(predictors[0]!.run(batchOf(0))).rejects.toThrow(/"first" reads is not known. Make a step/);
    await trainer.step(batchOf(9));
    for (let step = 0; step < 3; step++) {
      const [bytes, floats] = await Promise.all(
        predictors.map(async (predictor) => (await predictor.run(batchOf(step))).loss!.data[0]!),
      );
      const { loss } = await trainer.step(batchOf(step));
      expect(bytes).toBe(loss);
      expect(floats).not.toBe(loss);
    }
    for (const predictor of predictors) await predictor.dispose();
    await trainer.dispose();
  });

  it('makes of a batch in parts the step of the whole, but for the rounding', async () => {
    const whole = await createTrainer(program(ops.int8Gemm, 0), options);
    const parts = await createTrainer(program(ops.int8Gemm, 0), { ...options, maxTokens: 8 * INPUTS });
    const [one, several] = [await whole.step(batchOf(1)), await parts.step(batchOf(1))];
    expect(Math.abs(one.loss - several.loss)).toBeLessThan(0.01);
    expect(Math.abs(one.gradNorm / several.gradNorm - 1)).toBeLessThan(0.02);
    await whole.dispose();
    await parts.dispose();
  });

  it('is for the CPU', async () => {
    await expect(createTrainer(program(), { ...options, device: 'webgpu' })).rejects.toThrow(
      "Products in int8 are for the CPU. Train in float32 on 'webgpu', or in int8 on 'cpu'.",
    );
  });
});
