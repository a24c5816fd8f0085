/** Values and gradients beside PyTorch's and transformers': fixtures/losses-torch.py writes the numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { runGraph, type Tensor } from '../graph/gradient-check.testing.node.ts';
import { gradients } from '../graph/gradients.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/table.ts';
import type { DataType, Dim } from '../onnx/model.ts';
import {
  causalLanguageModelLoss,
  countedLabels,
  crossEntropy,
  maskedLanguageModelLoss,
  meanSquaredError,
  softLabelLoss,
} from './losses.ts';
import type { Batch } from './program.ts';

interface Recorded {
  readonly inputs: Readonly<Record<string, number[]>>;
  readonly dims: Readonly<Record<string, number[]>>;
  readonly loss: number | string;
  readonly gradient: readonly (number | string)[];
}

const file = new URL('./fixtures/losses-torch.json', import.meta.url);
const { cases }: { cases: Record<string, Recorded> } = JSON.parse(readFileSync(file, 'utf8'));

const TOLERANCE = 1e-6; // largest difference, relative above 1

/** How a recorded case is computed here: the loss, and its second input with sizes by name. */
const tasks: Readonly<
  Record<string, readonly [loss: (outputs: Value, other: Value) => Value, second: string, dtype: DataType, Dim[]]>
> = {
  'cross-entropy': [crossEntropy, 'target', 'int64', ['batch']],
  'cross-entropy of far logits': [crossEntropy, 'target', 'int64', ['batch']],
  'soft labels': [softLabelLoss, 'soft', 'float32', ['batch', 3]],
  'soft labels at temperature 2.5': [
    (logits, soft) => softLabelLoss(logits, soft, { temperature: 2.5 }),
    'soft',
    'float32',
    ['batch', 3],
  ],
  'mean squared error': [meanSquaredError, 'target', 'float32', ['batch']],
  'masked LM': [maskedLanguageModelLoss, 'labels', 'int64', ['batch', 'length']],
  'causal LM': [causalLanguageModelLoss, 'labels', 'int64', ['batch', 'length']],
  'cross-entropy of nothing': [crossEntropy, 'target', 'int64', ['batch']],
};

async function compute(name: string): Promise<{ loss: number; gradient: readonly number[] }> {
  const [lossOf, second, dtype, secondDims] = tasks[name]!;
  const { inputs, dims } = cases[name]!;
  const graph = createGraph();
  const named = secondDims.filter((dim) => typeof dim === 'string');
  const outputs = graph.input('outputs', 'float32', [...named, ...dims.outputs!.slice(named.length)]);
  const loss = lossOf(outputs, graph.input(second, dtype, secondDims));
  const tensor = (of: string, type: DataType): Tensor => ({ dtype: type, dims: dims[of]!, data: inputs[of]! });
  const results = await runGraph(
    graph,
    { loss, gradient: gradients(loss, [outputs])[0]! },
    { outputs: tensor('outputs', 'float32'), [second]: tensor(second, dtype) },
  );
  return { loss: results.loss!.data[0]!, gradient: results.gradient!.data };
}

function expectClose(found: readonly number[], expected: readonly (number | string)[]): void {
  expect(found.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) {
    expect(Math.abs(found[at]! - Number(value))).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(Number(value))));
  }
}

describe('losses', () => {
  it.each(Object.keys(cases).filter((name) => name !== 'cross-entropy of nothing'))('%s', async (name) => {
    const { loss, gradient } = await compute(name);
    expectClose([loss], [cases[name]!.loss]);
    expectClose(gradient, cases[name]!.gradient);
  });

  it('cross-entropy of nothing is no number, as in PyTorch; here its gradient is none either', async () => {
    const { loss, gradient } = await compute('cross-entropy of nothing');
    expect(loss).toBeNaN();
    expect(cases['cross-entropy of nothing']!.loss).toBe('nan');
    expect(cases['cross-entropy of nothing']!.gradient).toEqual(gradient.map(() => 0)); // the known difference
    expect(gradient.every(Number.isNaN)).toBe(true);
  });
});

describe('countedLabels', () => {
  const labels = { dtype: 'int64', dims: [2, 3], data: BigInt64Array.of(4n, -100n, 0n, -100n, 2n, 1n) } as const;

  it('counts the labels that are not left out', () => {
    expect(countedLabels('labels')({ labels })).toBe(4);
    expect(countedLabels('labels')({ labels: { ...labels, dims: [6] } })).toBe(4);
  });

  it('leaves out the first of each row, which nothing predicts, where labels are shifted', () => {
    expect(countedLabels('labels', { shifted: true })({ labels })).toBe(3);
  });

  it('refuses a batch without the labels', () => {
    const batch: Batch = { input_ids: labels };
    expect(() => countedLabels('labels')(batch)).toThrow(
      new ConfigError('The batch has no "labels", whose labels are to be counted.'),
    );
  });
});
