/** Writing a graph anew with operations that a provider lacks replaced by ones it has. */

import { type Copied, Copier } from './copier.ts';
import { reachable } from './emit.ts';
import type { Graph, Value } from './graph.ts';
import type { OpAttributes, OpType } from './op-types.ts';
import { exp, expand, log, matMul, mul, reduceMax, reduceSum, sub, transpose } from './ops.ts';

type Lowering<Op extends OpType> = (
  inputs: readonly Value[],
  attributes: OpAttributes[Op],
  graph: Graph,
) => readonly Value[];

export type LoweringTable = { readonly [Op in OpType]?: Lowering<Op> };

/** The last two axes exchanged. */
function swap(x: Value): Value {
  const axes = x.dims.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}

/** What onnxruntime 1.30's WebGPU provider would hand to the CPU, copying there and back. */
export const webgpuLowering: LoweringTable = {
  ConstantOfShape: (_, { shape }, graph) => [expand(graph.constant(0), shape)],
  FusedMatMul: ([a, b], { transA, transB, alpha = 1 }) => {
    const product = matMul(transA ? swap(a!) : a!, transB ? swap(b!) : b!);
    return [alpha === 1 ? product : mul(product, alpha)];
  },
  LogSoftmax: ([x], { axis }) => {
    const shifted = sub(x!, reduceMax(x!, { axes: [axis], keepdims: true }));
    return [sub(shifted, log(reduceSum(exp(shifted), { axes: [axis], keepdims: true })))];
  },
};

/** The same outputs in a new graph, with every operation of the table replaced. Inputs keep their names. */
export function lower(graph: Graph, outputs: ReadonlyMap<string, Value>, table: LoweringTable): Copied {
  const copier = new Copier(graph);
  for (const node of reachable(graph, [...outputs.values()])) {
    const replacement = table[node.op] as Lowering<typeof node.op> | undefined;
    if (!replacement) copier.copy(node);
    else {
      const made = replacement(copier.inputsOf(node) as Value[], node.attributes, copier.graph);
      for (const [index, output] of node.outputs.entries()) copier.set(output, made[index]!);
    }
  }
  return copier.finish(outputs);
}
