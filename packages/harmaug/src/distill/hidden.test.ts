import { createGraph } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { runGraph } from '../../../onnx-grad/src/graph/gradient-check.testing.node.ts';
import { collateHidden } from './hidden.ts';
import { hiddenLoss } from './objective.ts';

const rows = [
  { states: Float32Array.of(1, 2, 3, 4), words: [0, 1, -1] },
  null,
  { states: Float32Array.of(5, 6), words: [-1, 0, 0, 0] },
];

describe('hidden states as targets', () => {
  it('stand at the tokens of their words, each row weighing 1', () => {
    const { hidden_targets: targets, hidden_weights: weights } = collateHidden(rows, 4, 2);
    expect([targets!.dims, weights!.dims]).toEqual([
      [3, 4, 2],
      [3, 4],
    ]);
    expect(Array.from(targets!.data.slice(0, 6) as Float32Array)).toEqual([1, 2, 3, 4, 0, 0]);
    const third = Math.fround(1 / 3);
    expect(Array.from(weights!.data as Float32Array)).toEqual([0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, third, third, third]);
  });

  it('cost the mean squared distance over tokens that have one, then over rows', async () => {
    const graph = createGraph();
    const hidden = graph.input('hidden', 'float32', ['batch', 'length', 2]);
    const zeros = { dtype: 'float32', dims: [3, 4, 2], data: new Array(24).fill(0) } as const;
    const batch = collateHidden(rows, 4, 2);
    const feeds = Object.fromEntries(
      Object.entries(batch).map(([name, { dtype, dims, data }]) => [
        name,
        { dtype, dims, data: Array.from(data as Float32Array) },
      ]),
    );
    const { loss } = await runGraph(graph, { loss: hiddenLoss(hidden) }, { hidden: zeros, ...feeds } as never);
    const first = ((1 + 4) / 2 + (9 + 16) / 2) / 2;
    const last = (25 + 36) / 2;
    expect(loss!.data[0]).toBeCloseTo((first + 0 + last) / 3, 5);
  });
});
