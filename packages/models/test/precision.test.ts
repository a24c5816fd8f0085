/** Layers in int8: which products they are, and that they train as those of floats do. */

import { type Batch, crossEntropy, quantizeModel, trainedBytes } from 'onnx-grad';
import { createSession, createTrainer } from 'onnx-grad/node';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferenceModel } from '../src/inference.ts';
import { initialize } from '../src/initialize.ts';
import { loadWeights } from '../src/load.node.ts';
import { buildModel } from '../src/model.ts';
import type { Precision } from '../src/scope.ts';
import { trainingProgram } from '../src/training.ts';
import { readOracle, toBatchTensor } from './oracle-cases.node.ts';

async function setUp(name: string, precision: Precision, recompute = false) {
  const { folder, tensors } = await readOracle(name);
  const head = 'sequence-classification';
  const { model, weights } = await loadWeights(folder, { head, training: true, precision, recompute });
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const inputs = ['input_ids', 'attention_mask', 'labels', ...(model.inputs.tokenTypeIds ? ['token_type_ids'] : [])];
  const batch: Batch = Object.fromEntries(inputs.map((input) => [input, toBatchTensor(tensors.get(input)!)]));
  return { model, batch, program: trainingProgram(model, { loss, weights }) };
}

/** Losses of three steps, and the gradients of the first. */
async function train({ program, batch }: Awaited<ReturnType<typeof setUp>>) {
  const trainer = await createTrainer(program, { learningRate: 1e-3, clipNorm: null, seed: 4, threads: 1 });
  const first = await trainer.step(batch);
  const { firstMoments } = await trainer.state();
  const losses = [first.loss, (await trainer.step(batch)).loss, (await trainer.step(batch)).loss];
  await trainer.dispose();
  return { losses, gradients: firstMoments };
}

/** Weights of the first layer that are multiplied in int8, less the layer's own name. */
const families = [
  {
    name: 'bert-tiny',
    layer: 'bert.encoder.layer.0.',
    weights: [
      'attention.output.dense',
      'attention.self.key',
      'attention.self.query',
      'attention.self.value',
      'intermediate.dense',
      'output.dense',
    ],
  },
  {
    name: 'deberta-tiny',
    layer: 'deberta.encoder.layer.0.',
    weights: [
      'attention.output.dense',
      'attention.self.key_proj',
      'attention.self.query_proj',
      'attention.self.value_proj',
      'intermediate.dense',
      'output.dense',
    ],
  },
  { name: 'modernbert-tiny', layer: 'model.layers.0.', weights: ['attn.Wo', 'attn.Wqkv', 'mlp.Wi', 'mlp.Wo'] },
];

describe.each(families)('$name in int8', ({ name, layer, weights }) => {
  it('has the products of its layers in int8, and no other', async () => {
    const { model } = await setUp(name, 'int8');
    const products = model.graph.nodes.filter(({ op }) => op === 'Int8Gemm');
    const read = products.map(({ inputs: [, weight] }) => (weight!.producer?.inputs[0] ?? weight!).name);
    const ofFirst = [...new Set(read.filter((weight) => weight.startsWith(layer)))];
    expect(ofFirst.sort()).toEqual(weights.map((weight) => `${layer}${weight}.weight`));
    const prefix = layer.replace('0.', '');
    expect(read.filter((weight) => !weight.startsWith(prefix))).toEqual([]);
    expect((await setUp(name, 'float32')).model.graph.nodes.some(({ op }) => op === 'Int8Gemm')).toBe(false);
  });

  it('has the loss and gradients of float32, but for the rounding', async () => {
    const [floats, bytes] = [await train(await setUp(name, 'float32')), await train(await setUp(name, 'int8'))];
    expect(Math.abs(bytes.losses[0]! - floats.losses[0]!)).toBeLessThan(0.05);
    expect(bytes.losses).not.toEqual(floats.losses);
    const norm = (values: Iterable<number>) => Math.hypot(...values);
    for (const [weight, gradient] of floats.gradients) {
      const found = bytes.gradients.get(weight)!;
      const difference = norm(gradient.map((value, at) => value - found[at]!));
      expect(difference, weight).toBeLessThan(0.2 * norm(gradient) + 1e-6);
    }
  });

  it('has the same losses where its layers are computed again in the backward pass', async () => {
    const [kept, again] = [await train(await setUp(name, 'int8')), await train(await setUp(name, 'int8', true))];
    expect(again.losses).toEqual(kept.losses);
  });
});

/** Large enough for its matrices to be made smaller at export. */
const config = {
  model_type: 'bert',
  vocab_size: 80,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: 32,
};

const [ROWS, LENGTH] = [6, 9];
const integers = (count: number, limit: number) =>
  BigInt64Array.from({ length: count }, (_, at) => BigInt((at * 7 + (at >> 2)) % limit));
const texts: Batch = {
  input_ids: { dtype: 'int64', dims: [ROWS, LENGTH], data: integers(ROWS * LENGTH, 80) },
  token_type_ids: { dtype: 'int64', dims: [ROWS, LENGTH], data: integers(ROWS * LENGTH, 1) },
  attention_mask: { dtype: 'int64', dims: [ROWS, LENGTH], data: new BigInt64Array(ROWS * LENGTH).fill(1n) },
};

it('is served with the bytes that it was trained with, whatever texts share a batch', async () => {
  const options = { head: 'sequence-classification', precision: 'int8' } as const;
  const model = buildModel(config, { ...options, training: true });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.1, 7)]));
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const trainer = await createTrainer(trainingProgram(model, { loss, weights }), { learningRate: 1e-3, threads: 1 });
  for (let step = 0; step < 3; step++) {
    await trainer.step({ ...texts, labels: { dtype: 'int64', dims: [ROWS], data: integers(ROWS, 2) } });
  }
  const plain = buildModel(config, options);
  const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
  const trained = (await predictor.run(texts)).logits!.data;
  const { parameters, ranges } = await trainer.state();
  await predictor.dispose();
  await trainer.dispose();

  const record = inferenceModel(buildModel(config, { head: 'sequence-classification' }), parameters);
  const { ranges: bytes, floats } = trainedBytes(record, ranges!);
  expect(floats).toEqual(['bert.pooler.dense.weight']);
  const exported = quantizeModel(record, { kind: 'int8', kept: new Set(floats), ranges: bytes });
  expect(exported.quantized).toHaveLength(1 + 2 * 6);
  expect(exported.quantized).toContain('bert.embeddings.word_embeddings.weight');
  const session = await createSession(exported.model, { threads: 1 });
  const run = async (from: number, to: number) => {
    const feeds = Object.entries(texts).map(([name, { data }]) => {
      const part = data.slice(from * LENGTH, to * LENGTH) as BigInt64Array;
      return [name, new ort.Tensor('int64', part, [to - from, LENGTH])] as const;
    });
    return [...((await session.run(Object.fromEntries(feeds))).logits!.data as Float32Array)];
  };
  const together = await run(0, ROWS);
  const alone = (await Promise.all(Array.from({ length: ROWS }, (_, row) => run(row, row + 1)))).flat();
  for (const [at, logit] of trained.entries()) {
    expect(together[at]).toBeCloseTo(logit, 5);
    expect(alone[at]).toBeCloseTo(logit, 5);
  }
  await session.release();
});
