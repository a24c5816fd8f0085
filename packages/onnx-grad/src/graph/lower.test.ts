import { expect, it } from 'vitest';
import { attention } from './attention.ts';
import { emitModel } from './emit.ts';
import { createRandom, distance, makeTensor, runGraph, sumAll, tolerances } from './gradient-check.testing.node.ts';
import { gradients } from './gradients.ts';
import { lower, webgpuLowering } from './lower.ts';
import * as ops from './ops.ts';
import { createGraph } from './table.ts';

/** A loss over attention, and its gradient. */
function build() {
  const graph = createGraph();
  const x = graph.input('x', 'float32', ['batch', 2, 'length', 4]);
  const weight = graph.input('weight', 'float32', [2, 4, 4]);
  const scores = ops.fusedMatMul(x, weight, { transB: true, alpha: 0.5 });
  const result = attention(scores, x, ops.fusedMatMul(x, weight, { alpha: 1 }), { scale: 0.5 });
  const picked = ops.gatherElements(ops.logSoftmax(result), graph.integers([2], [1, 1, 1, 1]), { axis: -1 });
  const loss = ops.neg(sumAll(picked));
  const [gradX, gradWeight] = gradients(loss, [x, weight]);
  return { graph, outputs: { loss, gradX: gradX!, gradWeight: gradWeight!, same: x } };
}

it('replaces every operation of the table and leaves the numbers as they were', async () => {
  const { graph, outputs } = build();
  const lowered = lower(graph, new Map(Object.entries(outputs)), webgpuLowering);
  const opsOf = (...of: Parameters<typeof emitModel>) => emitModel(...of).graph.nodes.map(({ opType }) => opType);
  expect(opsOf(graph, new Map(Object.entries(outputs)))).toEqual(expect.arrayContaining(Object.keys(webgpuLowering)));
  const used = opsOf(lowered.graph, lowered.outputs);
  for (const op of Object.keys(webgpuLowering)) expect(used).not.toContain(op);
  expect(used).toContain('MatMul');

  const random = createRandom(2);
  const feeds = {
    x: makeTensor({ dims: ['batch', 2, 'length', 4] }, random, { batch: 1, length: 3 }),
    weight: makeTensor({ dims: [2, 4, 4] }, random),
  };
  const expected = await runGraph(graph, outputs, feeds);
  const found = await runGraph(lowered.graph, Object.fromEntries(lowered.outputs), feeds);
  for (const name of Object.keys(outputs)) {
    expect(distance(found[name]!, expected[name]!)).toBeLessThan(10 * tolerances.float32.value);
  }
});

it('keeps the inputs of the graph, by name, type and shape', () => {
  const { graph, outputs } = build();
  const lowered = lower(graph, new Map(Object.entries(outputs)), {});
  const typesOf = (inputs: typeof graph.inputs) => inputs.map(({ name, dtype, dims }) => ({ name, dtype, dims }));
  expect(typesOf(lowered.graph.inputs)).toEqual(typesOf(graph.inputs));
});
