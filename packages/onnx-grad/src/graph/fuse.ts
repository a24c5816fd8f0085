/**
 * Rewrites that save passes over memory and leave every number within rounding: a scale by a constant goes into the
 * product that makes or reads the value, and a sum with a product becomes that product's `beta · C`.
 */
import { formatShape } from './dims.ts';
import { type Node, scalarOf, type Value } from './graph.ts';
import type { OpAttributes } from './op-types.ts';

type Product = Node<'Gemm'> | Node<'FusedMatMul'>;

/**
 * @param nodes in topological order
 * @param kept  values that must still be made: the graph's outputs
 */
export function fuse(nodes: readonly Node[], kept: ReadonlySet<Value>): Node[] {
  return addsIntoGemm(scalesIntoReaders(scalesIntoMakers(nodes, kept), kept), kept);
}

/** `Mul(product, constant)` where nothing else reads the product: the constant goes into its alpha (and beta). */
function scalesIntoMakers(nodes: readonly Node[], kept: ReadonlySet<Value>): Node[] {
  const { makers, readers } = index(nodes);
  const replaced = new Map<Node, Node>();
  for (const node of nodes) {
    const scaled = scaleOf(node);
    const maker = scaled && makers.get(scaled.value);
    if (!maker || !isProduct(maker) || kept.has(scaled.value) || readers.get(scaled.value)!.length !== 1) continue;
    replaced.set(maker, withAlpha(maker, scaled.factor, node.outputs));
    replaced.set(node, removed);
  }
  return apply(nodes, replaced);
}

/** `Mul(x, constant)` read by products alone, as a factor: each reader scales by its alpha and reads x. */
function scalesIntoReaders(nodes: readonly Node[], kept: ReadonlySet<Value>): Node[] {
  const { readers } = index(nodes);
  const replaced = new Map<Node, Node>();
  for (const node of nodes) {
    const scaled = scaleOf(node);
    if (!scaled || kept.has(node.outputs[0]!)) continue;
    const reading = readers.get(node.outputs[0]!) ?? [];
    if (!reading.every((reader) => isProduct(reader) && reader.inputs[2] !== node.outputs[0])) continue;
    for (const reader of new Set(reading)) {
      let product = (replaced.get(reader) ?? reader) as Product;
      for (const position of [0, 1]) {
        if (product.inputs[position] !== node.outputs[0]) continue;
        const inputs = product.inputs.map((input, at) => (at === position ? scaled.value : input));
        product = { ...product, inputs, attributes: scaledAlpha(product, scaled.factor) } as Product;
      }
      replaced.set(reader, product);
    }
    replaced.set(node, removed);
  }
  return apply(nodes, replaced);
}

/** `Add(Gemm(a, b), c)` with c of the same shape, read by nothing else: one Gemm that starts from c. */
function addsIntoGemm(nodes: readonly Node[], kept: ReadonlySet<Value>): Node[] {
  const { makers, readers } = index(nodes);
  const replaced = new Map<Node, Node>();
  for (const node of nodes) {
    if (node.op !== 'Add') continue;
    for (const [product, other] of [node.inputs, [...node.inputs].reverse()] as [Value, Value][]) {
      const maker = makers.get(product);
      const isAlone = readers.get(product)?.length === 1 && !kept.has(product);
      if (maker?.op !== 'Gemm' || maker.inputs.length !== 2 || !isAlone) continue;
      if (formatShape(other.dims) !== formatShape(product.dims)) continue;
      replaced.set(maker, removed);
      const attributes = { ...maker.attributes, beta: 1 };
      replaced.set(node, {
        ...maker,
        id: node.id,
        attributes,
        inputs: [...maker.inputs, other],
        outputs: node.outputs,
      });
      break;
    }
  }
  return apply(nodes, replaced);
}

const removed = { id: -1 } as Node;

function apply(nodes: readonly Node[], replaced: ReadonlyMap<Node, Node>): Node[] {
  return nodes.map((node) => replaced.get(node) ?? node).filter((node) => node !== removed);
}

function index(nodes: readonly Node[]) {
  const makers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const output of node.outputs) makers.set(output, node);
    for (const input of node.inputs) {
      if (!input) continue;
      const list = readers.get(input);
      if (list) list.push(node);
      else readers.set(input, [node]);
    }
  }
  return { makers, readers };
}

function isProduct(node: Node): node is Product {
  return node.op === 'Gemm' || node.op === 'FusedMatMul';
}

function scaleOf(node: Node): { value: Value; factor: number } | null {
  if (node.op !== 'Mul') return null;
  const [a, b] = node.inputs as [Value, Value];
  const [left, right] = [scalarOf(a), scalarOf(b)];
  if (right !== null) return { value: a, factor: right };
  return left === null ? null : { value: b, factor: left };
}

function scaledAlpha(product: Product, factor: number): OpAttributes['Gemm'] {
  return { ...product.attributes, alpha: (product.attributes.alpha ?? 1) * factor };
}

function withAlpha(product: Product, factor: number, outputs: readonly Value[]): Product {
  const attributes = scaledAlpha(product, factor);
  const hasSum = product.op === 'Gemm' && product.inputs.length === 3;
  const beta = hasSum ? { beta: (attributes.beta ?? 1) * factor } : {};
  return { ...product, outputs, attributes: { ...attributes, ...beta } } as Product;
}
