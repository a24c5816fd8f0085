/** The table of operations: every type has its row, or this does not compile. */
import { Graph } from './graph.ts';
import type { OpTable } from './rule.ts';
import { elementwise } from './rules/elementwise.ts';
import { fused } from './rules/fused.ts';
import { indexing } from './rules/indexing.ts';
import { int8 } from './rules/int8.ts';
import { layout } from './rules/layout.ts';
import { products } from './rules/products.ts';
import { reductions } from './rules/reductions.ts';
import { rotary } from './rules/rotary.ts';

export const opTable: OpTable = {
  ...elementwise,
  ...products,
  ...int8,
  ...reductions,
  ...rotary,
  ...layout,
  ...indexing,
  ...fused,
};

/** An empty graph. */
export function createGraph(): Graph {
  return new Graph(opTable);
}
