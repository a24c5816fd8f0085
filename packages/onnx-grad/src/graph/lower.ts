/** Writing a graph anew with operations that a provider lacks replaced by ones it has. */

import { reachable } from './emit.ts';
import { type Constant, type Graph, isConstant, type Value } from './graph.ts';
import type { OpAttributes, OpType } from './op-types.ts';
import { exp, expand, log, matMul, mul, reduceMax, reduceSum, sub, transpose } from './ops.ts';
import { createGraph } from './table.ts';

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
export function lower(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  table: LoweringTable,
): { graph: Graph; outputs: Map<string, Value> } {
  const target = createGraph();
  const copies = new Map<Value, Value>();
  for (const input of graph.inputs) copies.set(input, target.input(input.name, input.dtype, input.dims));
  const copyOf = (value: Value): Value => {
    const known = copies.get(value);
    if (known) return known;
    const copy = copyConstant(target, value as Constant);
    copies.set(value, copy);
    return copy;
  };
  for (const node of reachable(graph, [...outputs.values()])) {
    const inputs = node.inputs.map((input) => input && copyOf(input));
    const replacement = table[node.op] as Lowering<typeof node.op> | undefined;
    const made =
      replacement?.(inputs as Value[], node.attributes, target) ?? target.node(node.op, inputs, node.attributes);
    for (const [index, output] of node.outputs.entries()) copies.set(output, made[index]!);
  }
  return { graph: target, outputs: new Map([...outputs].map(([name, value]) => [name, copyOf(value)])) };
}

function copyConstant(graph: Graph, value: Constant): Value {
  if (!isConstant(value)) throw new Error(`internal: "${(value as Value).name}" is made by no node.`);
  const { data, dims, dtype } = value;
  const bytes = data.slice().buffer;
  if (dtype === 'int64') return graph.integers([...new BigInt64Array(bytes)].map(Number), dims as number[]);
  return graph.constant(new Float32Array(bytes), dims as number[]);
}
