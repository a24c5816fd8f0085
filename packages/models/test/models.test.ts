/** Outputs, losses and gradients of every family and option beside transformers', in float32, padding in each batch. */
import {
  causalLanguageModelLoss,
  crossEntropy,
  type DataType,
  type Dim,
  emitModel,
  gradients,
  maskedLanguageModelLoss,
  meanSquaredError,
  ops,
  type Value,
} from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadWeights } from '../src/load.node.ts';
import type { Head } from '../src/model.ts';
import {
  largestDifference,
  norm,
  type OracleCase,
  oracleNames,
  readOracle,
  relativeError,
  toBatchTensor,
  toFloats,
  toTensor,
} from './oracle-cases.node.ts';

const TOLERANCE = {
  output: 1e-4, // largest difference
  gradient: 1e-3, // relative norm
  zero: 1e-6, // norm, as a share of the largest gradient's
};

/** How a case's output becomes its scalar loss, together with one more input. */
interface Task {
  readonly head: Head;
  readonly output: string;
  readonly target: string;
  readonly targetDims: (hiddenSize: number) => readonly Dim[];
  readonly loss: (output: Value, target: Value) => Value;
  /** Whether the output is one row a token: those of padding, which nothing reads, are left out. */
  readonly perToken: boolean;
}

/** DeBERTa's rows of padding differ: transformers masks their scores as queries too. */
function ofRealTokens(values: Float32Array, mask: BigInt64Array): Float32Array {
  const size = values.length / mask.length;
  return values.filter((_, index) => mask[Math.floor(index / size)] === 1n);
}

const classification: Task = {
  head: 'sequence-classification',
  output: 'logits',
  target: 'labels',
  targetDims: () => ['batch'],
  loss: (logits, labels) =>
    labels.dtype === 'float32' ? meanSquaredError(ops.reshape(logits, [-1]), labels) : crossEntropy(logits, labels),
  perToken: false,
};

/** By the word after the family in the case's name. */
const otherTasks: Readonly<Record<string, Task>> = {
  mlm: {
    head: 'masked-lm',
    output: 'logits',
    target: 'labels',
    targetDims: () => ['batch', 'length'],
    loss: maskedLanguageModelLoss,
    perToken: true,
  },
  lm: {
    head: 'causal-lm',
    output: 'logits',
    target: 'labels',
    targetDims: () => ['batch', 'length'],
    loss: causalLanguageModelLoss,
    perToken: true,
  },
  model: {
    head: 'mean-pooling',
    output: 'mean_pooled',
    target: 'projection',
    targetDims: (hiddenSize) => ['batch', hiddenSize],
    loss: (pooled, projection) => ops.reduceSum(ops.mul(pooled, projection), { axes: [0, 1] }),
    perToken: false,
  },
};

/** Our output, loss and gradients for a case's batch, as a lookup by name: `output`, `loss`, `grad.<parameter>`. */
async function compute({ folder, tensors }: OracleCase, task: Task) {
  const { model, weights } = await loadWeights(folder, { head: task.head });
  const { graph, scope, config, backbone, output } = model;
  const { dtype } = tensors.get(task.target)!;
  const loss = task.loss(output, graph.input(task.target, dtype as DataType, task.targetDims(config.hiddenSize)));
  const parameters = [...scope.parameters.values()];
  const found = gradients(
    loss,
    parameters.map(({ value }) => value),
  );
  const outputs = new Map([
    ['output', output],
    ['loss', loss],
    ...parameters.map(({ name }, index) => [`grad.${name}`, found[index]!] as const),
  ]);
  const session = await createSession(emitModel(graph, outputs));
  const feeds = session.inputNames.map((name) => {
    const shape = scope.parameters.get(name)?.shape;
    return [name, shape ? new Tensor('float32', weights.get(name)!, shape) : toTensor(tensors.get(name)!)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  const names = parameters.map(({ name }) => name);
  return { prefix: backbone.prefix, names, floats: (name: string) => results[name]!.data as Float32Array };
}

describe.each(oracleNames)('%s', async (name) => {
  const task = otherTasks[name.split('-')[1]!] ?? classification;
  const oracle = await readOracle(name);
  const expected = (of: string) => toFloats(oracle.tensors.get(of)!);
  const { prefix, names, floats } = await compute(oracle, task);

  it('gives the outputs and the loss of transformers', () => {
    const mask = toBatchTensor(oracle.tensors.get('attention_mask')!).data as BigInt64Array;
    const [ours, theirs] = [floats('output'), expected(task.output)].map((values) =>
      task.perToken ? ofRealTokens(values, mask) : values,
    ) as [Float32Array, Float32Array];
    expect(largestDifference(ours, theirs)).toBeLessThan(TOLERANCE.output);
    expect(largestDifference(floats('loss'), expected('loss'))).toBeLessThan(TOLERANCE.output);
  });

  it('gives every gradient of PyTorch', () => {
    const theirs = new Map(
      [...oracle.tensors.keys()].filter((of) => of.startsWith('grad.')).map((of) => [of.slice('grad.'.length), of]),
    );
    const largest = Math.max(...[...theirs.values()].map((of) => norm(expected(of))));
    const unprefixed = (parameter: string) => parameter.slice(prefix.length + 1); // in a bare model
    const wrong = names.flatMap((parameter) => {
      const as = theirs.has(parameter) ? parameter : unprefixed(parameter);
      const actual = floats(`grad.${parameter}`);
      const reference = expected(theirs.get(as)!);
      theirs.delete(as);
      const isZero = oracle.zero.includes(as) || oracle.unused.includes(as);
      const error = isZero ? norm(actual) / largest : relativeError(actual, reference);
      return error < (isZero ? TOLERANCE.zero : TOLERANCE.gradient) ? [] : [`${parameter}: ${error}`];
    });
    expect(wrong).toEqual([]);
    expect(oracle.unused).toEqual(expect.arrayContaining([...theirs.keys()])); // what our model does without
  });
});

it('fails where a gradient is wrong', async () => {
  const oracle = await readOracle('bert-tiny');
  const { floats } = await compute(oracle, classification);
  const name = 'grad.bert.encoder.layer.1.output.dense.weight';
  const halved = floats(name).map((value) => value / 2);
  expect(relativeError(halved, toFloats(oracle.tensors.get(name)!))).toBeCloseTo(0.5, 3);
});
