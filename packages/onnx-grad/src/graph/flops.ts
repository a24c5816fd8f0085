/** What a graph costs, counted from its nodes. */
import { evaluateDim, productOf } from './dims.ts';
import { reachable } from './emit.ts';
import type { Node, Value } from './graph.ts';
import type { OpType } from './op-types.ts';

const products: ReadonlySet<OpType> = new Set([
  'MatMul',
  'FusedMatMul',
  'Gemm',
  'Int8Gemm',
  'Int8GemmInput',
  'Int8GemmWeight',
]);

/**
 * Floating-point operations of the matrix products that `outputs` need: 2·M·N·K for each. Element-wise passes, which cost
 * memory traffic instead, are not counted.
 * @param sizes of the named dimensions
 * @throws ShapeError when a name has no size
 */
export function productFlops(outputs: readonly Value[], sizes: Readonly<Record<string, number>>): number {
  const nodes = reachable(outputs[0]!.graph, outputs);
  return nodes.reduce((sum, node) => sum + flopsOf(node, sizes), 0);
}

function flopsOf({ op, attributes, inputs, outputs }: Node, sizes: Readonly<Record<string, number>>): number {
  if (!products.has(op)) return 0;
  const { transA = op === 'Int8GemmWeight' } = attributes as { transA?: boolean };
  const inner = inputs[0]!.dims.at(transA ? -2 : -1)!;
  return 2 * evaluateDim(productOf(outputs[0]!.dims), sizes) * evaluateDim(inner, sizes);
}
