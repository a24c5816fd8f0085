/** A graph written anew, node by node, so that some of it can be written differently. */
import { type Constant, type Graph, isConstant, type Node, type Value } from './graph.ts';
import { createGraph } from './table.ts';

export interface Copied {
  readonly graph: Graph;
  readonly outputs: Map<string, Value>;
}

export class Copier {
  /** The new graph. Inputs keep their names. */
  readonly graph = createGraph();
  readonly #copies = new Map<Value, Value>();

  constructor(source: Graph) {
    for (const input of source.inputs) {
      this.#copies.set(input, this.graph.input(input.name, input.dtype, input.dims));
    }
  }

  /** What a value of the old graph is in the new one. @throws Error for one whose node is not copied yet */
  of(value: Value): Value {
    const known = this.#copies.get(value);
    if (known) return known;
    const copy = copyConstant(this.graph, value as Constant);
    this.#copies.set(value, copy);
    return copy;
  }

  inputsOf({ inputs }: Node): (Value | null)[] {
    return inputs.map((input) => input && this.of(input));
  }

  set(value: Value, copy: Value): void {
    this.#copies.set(value, copy);
  }

  copy(node: Node): void {
    const made = this.graph.node(node.op, this.inputsOf(node), node.attributes);
    for (const [index, output] of node.outputs.entries()) this.#copies.set(output, made[index]!);
  }

  finish(outputs: ReadonlyMap<string, Value>): Copied {
    return { graph: this.graph, outputs: new Map([...outputs].map(([name, value]) => [name, this.of(value)])) };
  }
}

function copyConstant(graph: Graph, value: Constant): Value {
  if (!isConstant(value)) throw new Error(`internal: "${(value as Value).name}" is made by no node.`);
  const { data, dims, dtype } = value;
  const bytes = data.slice().buffer;
  if (dtype === 'int64') return graph.integers([...new BigInt64Array(bytes)].map(Number), dims as number[]);
  return graph.constant(new Float32Array(bytes), dims as number[]);
}
