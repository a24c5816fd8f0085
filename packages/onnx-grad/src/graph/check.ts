/** What must hold of every graph we write, whatever rewrites it went through. */
import { bytesPerElement, type GraphRecord } from '../onnx/model.ts';

/**
 * Linear in the size of the graph.
 * @throws Error `internal: …` naming the node or value: a name made twice, read before it is made or of unknown type, an
 *   output that nothing makes, a node that nothing reads
 */
export function checkGraph({ name, inputs, initializers, nodes, outputs }: GraphRecord): void {
  const fail = (what: string): never => {
    throw new Error(`internal: graph "${name}": ${what}.`);
  };
  const made = new Set<string>();
  const make = (value: string, maker: string): void => {
    if (made.has(value)) fail(`${maker} makes "${value}", which exists already`);
    made.add(value);
  };
  for (const { name: value, dtype } of [...inputs, ...initializers, ...outputs]) {
    if (!Object.hasOwn(bytesPerElement, dtype)) fail(`"${value}" has the unknown element type "${dtype}"`);
  }
  for (const { name: input } of inputs) make(input, 'an input');
  for (const { name: initializer } of initializers) make(initializer, 'an initializer');
  const read = new Set(outputs.map((output) => output.name));
  for (const node of nodes) {
    const label = `${node.opType} "${node.name}"`;
    for (const input of node.inputs) {
      if (input === '') continue;
      if (!made.has(input)) fail(`${label} reads "${input}" before it is made`);
      read.add(input);
    }
    for (const output of node.outputs) if (output !== '') make(output, label);
  }
  for (const output of outputs) if (!made.has(output.name)) fail(`nothing makes the output "${output.name}"`);
  for (const node of nodes) {
    if (!node.outputs.some((output) => read.has(output))) fail(`nothing reads ${node.opType} "${node.name}"`);
  }
}
