/**
 * An ONNX model with its weight matrices in fewer bits: products become onnxruntime's quantised ones, tables that are
 * looked up become bytes with a scale a row. Everything else stays float32.
 *
 * - `int8`: DynamicQuantizeMatMul. The activations become bytes when they are known, with one scale for all of them, the
 *   weights are signed bytes with a scale for each output.
 * - `q4`: MatMulNBits. Weights of four bits in blocks of 32, for devices where memory is what is short.
 *
 * Source: onnxruntime, docs/ContribOperators.md
 */
import type { Attribute, ModelRecord, NodeRecord, TensorRecord } from '../onnx/model.ts';
import { packInt4 } from './int4.ts';
import { quantizeRows, transposeBytes } from './int8.ts';

export const quantizations = ['int8', 'q4'] as const;
export type Quantization = (typeof quantizations)[number];

export interface QuantizeOptions {
  readonly kind: Quantization;
  /** Names of weights that stay float32. */
  readonly kept?: ReadonlySet<string>;
}

export interface QuantizedModel {
  readonly model: ModelRecord;
  /** Names of the weights that have fewer bits now. */
  readonly quantized: readonly string[];
}

const BLOCK = 32; // weights of four bits that share a scale
const ACCURACY_LEVEL = 4; // MatMulNBits: activations as bytes
const SMALLEST = 4096; // weights of a matrix; a smaller one saves nothing

/** A product of an activation and a weight matrix, whatever operation states it. */
interface Product {
  readonly node: NodeRecord;
  readonly activation: string;
  readonly weight: TensorRecord;
  /** (outputs, inputs), as torch has it. */
  readonly values: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  /** A vector of one value an output, or `null`. */
  readonly bias: TensorRecord | null;
  /** Added to the result: what is no vector of the model's. */
  readonly addend: string | null;
}

/** New nodes and initializers in place of a product. */
interface Replacement {
  readonly nodes: readonly NodeRecord[];
  readonly initializers: readonly TensorRecord[];
}

/** @returns the model with every product and table replaced that `kept` does not name */
export function quantizeModel(model: ModelRecord, { kind, kept = new Set() }: QuantizeOptions): QuantizedModel {
  const { graph } = model;
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const readers = countReaders(graph.nodes);
  const quantized: string[] = [];
  const added: TensorRecord[] = [];
  const nodes = graph.nodes.flatMap((node) => {
    const weight = tensors.get(node.inputs[node.opType === 'Gather' ? 0 : 1] ?? '');
    if (!weight || kept.has(weight.name) || readers.get(weight.name) !== 1) return [node];
    const replacement = replace(node, weight, tensors, kind);
    if (!replacement) return [node];
    quantized.push(weight.name);
    added.push(...replacement.initializers);
    return replacement.nodes;
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [...graph.initializers.filter(({ name }) => used.has(name)), ...added];
  return { model: { ...model, graph: { ...graph, nodes, initializers } }, quantized };
}

function countReaders(nodes: readonly NodeRecord[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** `null` for a node that stays as it is. */
function replace(
  node: NodeRecord,
  weight: TensorRecord,
  tensors: ReadonlyMap<string, TensorRecord>,
  kind: Quantization,
): Replacement | null {
  if (weight.dtype !== 'float32' || weight.dims.length !== 2 || weight.data.length / 4 < SMALLEST) return null;
  if (node.opType === 'Gather') return byteTable(node, weight);
  const product = productOf(node, weight, tensors);
  return product && writers[kind](product);
}

function productOf(node: NodeRecord, weight: TensorRecord, tensors: ReadonlyMap<string, TensorRecord>): Product | null {
  const [activation, , third = ''] = node.inputs as [string, string, string?];
  const flag = (name: string) => numberOf(node.attributes[name], 0) !== 0;
  const isGemm = node.opType === 'Gemm' && !flag('transA') && numberOf(node.attributes.beta, 1) === 1;
  if (!isGemm && node.opType !== 'MatMul') return null;
  const isTransposed = flag('transB');
  const [outputs, inputs] = (isTransposed ? weight.dims : weight.dims.toReversed()) as [number, number];
  const alpha = numberOf(node.attributes.alpha, 1);
  const floats = floatsOf(weight);
  const laidOut = isTransposed ? floats : transposeFloats(floats, inputs, outputs);
  const found = tensors.get(third);
  const bias = found && found.dims.length === 1 && found.dims[0] === outputs ? found : null;
  return {
    node,
    activation,
    weight,
    values: alpha === 1 ? laidOut : laidOut.map((value) => value * alpha),
    outputs,
    inputs,
    bias,
    addend: third === '' || bias ? null : third,
  };
}

const writers: Readonly<Record<Quantization, (product: Product) => Replacement>> = {
  int8: ({ values, outputs, inputs, ...product }) => {
    const { values: bytes, scales } = quantizeRows(values, outputs, inputs);
    const { name } = product.weight;
    const matrix = tensor(`${name}_quantized`, 'int8', [inputs, outputs], transposeBytes(bytes, outputs, inputs));
    const scale = tensor(`${name}_scale`, 'float32', [outputs], scales);
    const quantizedInputs = [product.activation, matrix.name, scale.name, '', product.bias?.name ?? ''];
    return written(product, 'DynamicQuantizeMatMul', quantizedInputs, {}, [matrix, scale]);
  },
  q4: ({ values, outputs, inputs, ...product }) => {
    const { packed, scales, blocks } = packInt4(values, outputs, inputs, BLOCK);
    const { name } = product.weight;
    const matrix = tensor(`${name}_q4`, 'uint8', [outputs, blocks, BLOCK / 2], packed);
    const scale = tensor(`${name}_scale`, 'float32', [outputs * blocks], scales);
    const attributes = { K: inputs, N: outputs, bits: 4, block_size: BLOCK, accuracy_level: ACCURACY_LEVEL };
    const quantizedInputs = [product.activation, matrix.name, scale.name, '', '', product.bias?.name ?? ''];
    return written(product, 'MatMulNBits', quantizedInputs, attributes, [matrix, scale]);
  },
};

/** The product's node and, where something is added that is no bias, a sum behind it. */
function written(
  { node, addend }: Pick<Product, 'node' | 'addend'>,
  opType: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, number>>,
  initializers: readonly TensorRecord[],
): Replacement {
  const [output] = node.outputs as [string];
  const result = addend === null ? output : `${output}_product`;
  const trimmed = inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1);
  const product = makeNode(opType, 'com.microsoft', trimmed, result, attributes);
  const sum = addend === null ? [] : [makeNode('Add', '', [result, addend], output, {})];
  return { nodes: [product, ...sum], initializers };
}

/** Rows of bytes and their scales, looked up and multiplied. */
function byteTable(node: NodeRecord, weight: TensorRecord): Replacement {
  const [rows, columns] = weight.dims as [number, number];
  const [, ids] = node.inputs as [string, string];
  const [output] = node.outputs as [string];
  const { values, scales } = quantizeRows(floatsOf(weight), rows, columns);
  const table = tensor(`${weight.name}_quantized`, 'int8', [rows, columns], values);
  const scale = tensor(`${weight.name}_scale`, 'float32', [rows, 1], scales);
  const FLOAT = 1; // TensorProto.FLOAT
  return {
    initializers: [table, scale],
    nodes: [
      makeNode('Gather', '', [table.name, ids], `${output}_bytes`, { axis: 0 }),
      makeNode('Cast', '', [`${output}_bytes`], `${output}_floats`, { to: FLOAT }),
      makeNode('Gather', '', [scale.name, ids], `${output}_scales`, { axis: 0 }),
      makeNode('Mul', '', [`${output}_floats`, `${output}_scales`], output, {}),
    ],
  };
}

function makeNode(
  opType: string,
  domain: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>>,
): NodeRecord {
  const entries = Object.entries(attributes).map(([name, value]) => [name, { type: 'int', value }] as const);
  return { name: output, opType, domain, inputs, outputs: [output], attributes: Object.fromEntries(entries) };
}

function tensor(
  name: string,
  dtype: TensorRecord['dtype'],
  dims: readonly number[],
  { buffer, byteOffset, byteLength }: Int8Array | Uint8Array | Float32Array,
): TensorRecord {
  return { name, dtype, dims, data: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) };
}

function floatsOf({ data }: TensorRecord): Float32Array {
  const isAligned = data.byteOffset % 4 === 0;
  return isAligned
    ? new Float32Array(data.buffer, data.byteOffset, data.length / 4)
    : new Float32Array(data.slice().buffer);
}

function transposeFloats(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return result;
}

function numberOf(attribute: Attribute | undefined, fallback: number): number {
  return attribute?.type === 'int' || attribute?.type === 'float' ? attribute.value : fallback;
}
