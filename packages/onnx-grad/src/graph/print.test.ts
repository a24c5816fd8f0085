import { expect, it } from 'vitest';
import * as ops from './ops.ts';
import { printGraph } from './print.ts';
import { createGraph } from './table.ts';

it('prints what the outputs need, one node a line, with attributes and shapes', () => {
  const graph = createGraph();
  const x = graph.input('x', 'float32', ['batch', 4]);
  const weight = graph.input('weight', 'float32', [3, 4]);
  graph.input('unused', 'float32', []);
  ops.exp(weight);
  const hidden = ops.gemm(x, weight, null, { transB: true, transA: false, alpha: 1 / 3 });
  const { output, mean } = ops.layerNormalization(
    hidden,
    graph.constant(new Float32Array(3), [3]),
    graph.constant(Float32Array.of(1, 2, 3), [3]),
    {
      epsilon: 1e-12,
    },
  );
  const text = printGraph(
    graph,
    new Map([
      ['rows', ops.gather(output, graph.integers([2, -1]))],
      ['mean', mean],
      ['x again', x],
      ['half', graph.constant(0.5)],
      ['table', ops.reshape(graph.constant(new Float32Array(9), [9]), [3, 3])],
      ['kinds', ops.cast(ops.greater(hidden, 0.1), 'int64')],
    ]),
  );
  expect(text).toMatchInlineSnapshot(`
    "x: float32 (batch, 4)
    weight: float32 (3, 4)
    %0 = Gemm(x, weight) {transB, alpha: 0.333333} : float32 (batch, 3)
    %1, %2, %3 = LayerNormalization(%0, [0, 0, 0], [1, 2, 3]) {axis: -1, epsilon: 1e-12} : float32 (batch, 3), float32 (batch, 1), float32 (batch, 1)
    %4 = Gather(%1, [2, -1]) {axis: 0} : float32 (2, 3)
    %5 = Reshape(constant float32 (9)) {shape: (3, 3)} : float32 (3, 3)
    %6 = Greater(%0, 0.1) : bool (batch, 3)
    %7 = Cast(%6) {to: int64} : int64 (batch, 3)
    rows = %4
    mean = %2
    x again = x
    half = 0.5
    table = %5
    kinds = %7"
  `);
});

it('does not depend on what else is in the graph', () => {
  const build = (noise: number) => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['n']);
    for (let at = 0; at < noise; at++) ops.exp(ops.mul(x, at));
    return printGraph(graph, new Map([['y', ops.exp(ops.mul(x, 2))]]));
  };
  expect(build(5)).toBe(build(0));
});
