import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { productFlops } from './flops.ts';
import { gradients } from './gradients.ts';
import { add, fusedMatMul, gemm, matMul, reduceSum, tanh } from './ops.ts';
import { createGraph } from './table.ts';

describe('the operations of a graph', () => {
  it('are 2·M·N·K for each product, transposed or batched', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['rows', 3]);
    const weight = graph.input('weight', 'float32', [5, 3]);
    const product = gemm(x, weight, null, { transB: true });
    expect(productFlops([product], { rows: 7 })).toBe(2 * 7 * 5 * 3);
    const columns = gemm(x, product, null, { transA: true }); // (3, 5)
    expect(productFlops([columns], { rows: 7 })).toBe(2 * 7 * 5 * 3 + 2 * 3 * 5 * 7);
    const stack = graph.input('stack', 'float32', ['batch', 2, 4, 6]);
    expect(productFlops([fusedMatMul(stack, stack, { transB: true })], { batch: 3 })).toBe(2 * (3 * 2 * 4 * 4) * 6);
    expect(productFlops([matMul(stack, graph.input('square', 'float32', [6, 6]))], { batch: 3 })).toBe(
      2 * (3 * 2 * 4 * 6) * 6,
    );
  });

  it('leave out products that no output needs, and everything else', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [2, 2]);
    gemm(x, x);
    expect(productFlops([add(tanh(x), x)], {})).toBe(0);
  });

  it('are three times the forward pass with the gradients of both factors', () => {
    const graph = createGraph();
    const [x, weight] = [graph.input('x', 'float32', ['rows', 3]), graph.input('weight', 'float32', [3, 5])];
    const loss = reduceSum(gemm(x, weight), { axes: [0, 1] });
    expect(productFlops([loss, ...gradients(loss, [x, weight])], { rows: 4 })).toBe(3 * 2 * 4 * 3 * 5);
  });

  it('need a size for every name', () => {
    const x = createGraph().input('x', 'float32', ['rows', 3]);
    expect(() => productFlops([gemm(x, x, null, { transA: true })], {})).toThrow(ShapeError);
  });
});
