/** A graph as text, one node a line, for people and for snapshots: values are numbered anew, so equal graphs print equal. */
import { formatShape } from './dims.ts';
import { reachable } from './emit.ts';
import { type Constant, type Graph, isConstant, type Node, type Value } from './graph.ts';

/**
 * What `outputs` need, in order, before any rewriting.
 * @example
 *   x: float32 (batch, 4)
 *   weight: float32 (3, 4)
 *   %0 = Gemm(x, weight) {transB} : float32 (batch, 3)
 *   loss = %0
 */
export function printGraph(graph: Graph, outputs: ReadonlyMap<string, Value>): string {
  const nodes = reachable(graph, [...outputs.values()]);
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.values()]);
  const names = new Map<Value, string>(graph.inputs.map((input) => [input, input.name]));
  for (const output of nodes.flatMap((node) => node.outputs)) names.set(output, `%${names.size - graph.inputs.length}`);
  const nameOf = (value: Value | null): string => {
    if (value === null) return 'none';
    return isConstant(value) ? formatConstant(value) : names.get(value)!;
  };
  const formatNode = (node: Node): string => {
    const made = node.outputs.map(nameOf).join(', ');
    const types = node.outputs.map(formatType).join(', ');
    return `${made} = ${node.op}(${node.inputs.map(nameOf).join(', ')})${formatAttributes(node.attributes)} : ${types}`;
  };
  return [
    ...graph.inputs.filter((input) => read.has(input)).map((input) => `${input.name}: ${formatType(input)}`),
    ...nodes.map(formatNode),
    ...[...outputs].map(([name, value]) => `${name} = ${nameOf(value)}`),
  ].join('\n');
}

function formatType({ dtype, dims }: Value): string {
  return `${dtype} ${formatShape(dims)}`;
}

/** ` {axis: 1, transB}`; what is false or absent is left out. */
function formatAttributes(attributes: object): string {
  const texts = Object.entries(attributes)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => {
      if (value === true) return name;
      return `${name}: ${Array.isArray(value) ? formatShape(value) : typeof value === 'number' ? short(value) : value}`;
    });
  return texts.length === 0 ? '' : ` {${texts.join(', ')}}`;
}

/** A scalar's number, `[1, 2]` for a few, the shape for more. */
function formatConstant(constant: Constant): string {
  const { dims, data } = constant;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const isInteger = constant.dtype === 'int64';
  const count = data.byteLength / (isInteger ? 8 : 4);
  if (count > 8) return `constant ${formatType(constant)}`;
  const numbers = Array.from({ length: count }, (_, index) =>
    isInteger ? String(view.getBigInt64(index * 8, true)) : short(view.getFloat32(index * 4, true)),
  );
  return dims.length === 0 ? numbers[0]! : `[${numbers.join(', ')}]`;
}

/** Six digits, which a float32 holds. */
function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
