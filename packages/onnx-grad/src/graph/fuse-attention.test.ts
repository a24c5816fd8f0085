import { expect, it } from 'vitest';
import { attention } from './attention.ts';
import { emitModel } from './emit.ts';
import { fuseAttention } from './fuse-attention.ts';
import { createRandom, distance, makeTensor, runGraph, tolerances } from './gradient-check.testing.node.ts';
import { gradients } from './gradients.ts';
import type { Graph, Value } from './graph.ts';
import * as ops from './ops.ts';
import { createGraph } from './table.ts';

const [HEADS, HEAD_SIZE] = [2, 3];
const SIZE = HEADS * HEAD_SIZE;

function heads(matrix: Value): Value {
  return ops.transpose(ops.reshape(matrix, ['batch', 'length', HEADS, HEAD_SIZE]), [0, 2, 1, 3]);
}

/** Two layers of attention that share a bias: (B·T, E) -> (B·T, E). */
function build(graph: Graph, split: (matrix: Value) => Value = heads): Value {
  const padding = graph.input('padding', 'float32', ['batch', 1, 1, 'length']);
  const x = graph.input('x', 'float32', ['batch', 'length', SIZE]);
  const layer = (input: Value) => {
    const context = attention(split(input), split(ops.mul(input, 0.5)), split(ops.neg(input)), {
      scale: 0.7,
      biases: [padding],
    });
    return ops.flatten2d(ops.reshape(ops.transpose(context, [0, 2, 1, 3]), ['batch', 'length', SIZE]));
  };
  return layer(layer(ops.flatten2d(x)));
}

const opsOf = (graph: Graph, output: Value) => {
  return emitModel(graph, new Map([['y', output]])).graph.nodes.map(({ opType }) => opType);
};

it('gives the same numbers with one operation a layer, whose bias is spread out once', async () => {
  const graph = createGraph();
  const output = build(graph);
  const fused = fuseAttention(graph, new Map([['y', output]]));
  const used = opsOf(fused.graph, fused.outputs.get('y')!);
  expect(used.filter((op) => op === 'MultiHeadAttention')).toHaveLength(2);
  expect(used.filter((op) => op === 'Expand')).toHaveLength(1);
  for (const op of ['Softmax', 'Transpose', 'FusedMatMul']) expect(used).not.toContain(op);
  for (const sizes of [
    { batch: 2, length: 5 },
    { batch: 1, length: 1 },
  ]) {
    const random = createRandom(3);
    const x = makeTensor({ dims: ['batch', 'length', SIZE] }, random, sizes);
    const padding = makeTensor({ dims: ['batch', 1, 1, 'length'], values: [0, 0, -30000] }, random, sizes);
    const [before, after] = [
      await runGraph(graph, { y: output }, { x, padding }),
      await runGraph(fused.graph, { y: fused.outputs.get('y')! }, { x, padding }),
    ];
    expect(distance(after.y!, before.y!)).toBeLessThanOrEqual(tolerances.float32.value);
  }
});

it('leaves attention alone whose inputs are no matrices split into heads', () => {
  const graph = createGraph();
  const output = build(graph, (matrix) => ops.neg(heads(matrix)));
  const fused = fuseAttention(graph, new Map([['y', output]]));
  expect(opsOf(fused.graph, fused.outputs.get('y')!)).toEqual(opsOf(graph, output));
});

it('has no gradient afterwards, and says so', () => {
  const graph = createGraph();
  const fused = fuseAttention(graph, new Map([['y', build(graph)]]));
  const loss = ops.reduceSum(fused.outputs.get('y')!, { axes: [0, 1] });
  const x = fused.graph.inputs.find(({ name }) => name === 'x')!;
  expect(() => gradients(loss, [x])).toThrow(/Differentiate the graph before fuseAttention/);
});
