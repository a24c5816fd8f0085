/**
 * An ONNX model with its weight matrices in fewer bits: products become onnxruntime's quantised ones, tables that are
 * looked up become bytes with a scale a row. Everything else stays float32.
 *
 * - `int8`: the weights are signed bytes with a scale for each output. Activations whose ranges are given become bytes by
 *   these (QuantizeLinear, MatMulIntegerToFloat): an answer then depends on no other text of the batch. Others get the
 *   range that they have when they are known, one for the batch (DynamicQuantizeMatMul).
 * - `q4`: MatMulNBits. Weights of four bits in blocks of 32, for devices where memory is what is short.
 *
 * Source: onnxruntime, docs/ContribOperators.md
 */
import type { ModelRecord, NodeRecord, TensorRecord } from '../onnx/model.ts';
import type { ChannelRanges } from './channel-ranges.ts';
import { packInt4 } from './int4.ts';
import { quantizeRows, transposeBytes } from './int8.ts';
import { countReaders, floatsOf, isMatrix, type Product, productOf } from './product.ts';
import { ActivationTable } from './quantized-activation.ts';
import { makeNode, makeTensor, type Replacement } from './records.ts';

export const quantizations = ['int8', 'q4'] as const;
export type Quantization = (typeof quantizations)[number];

export interface QuantizeOptions {
  readonly kind: Quantization;
  /** Names of weights that stay float32. */
  readonly kept?: ReadonlySet<string>;
  /** Of the activations that `productActivations` names, for `int8`. */
  readonly ranges?: ReadonlyMap<string, ChannelRanges>;
}

export interface QuantizedModel {
  readonly model: ModelRecord;
  /** Names of the weights that have fewer bits now. */
  readonly quantized: readonly string[];
}

const BLOCK = 32; // weights of four bits that share a scale
const ACCURACY_LEVEL = 4; // MatMulNBits: activations as bytes

/** @returns the model with every product and table replaced that `kept` does not name */
export function quantizeModel(
  model: ModelRecord,
  { kind, kept = new Set(), ranges = new Map() }: QuantizeOptions,
): QuantizedModel {
  const { graph } = model;
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const readers = countReaders(graph.nodes);
  const quantized: string[] = [];
  const added: TensorRecord[] = [];
  const activations = new ActivationTable(ranges);
  const nodes = graph.nodes.flatMap((node) => {
    const weight = tensors.get(node.inputs[node.opType === 'Gather' ? 0 : 1] ?? '');
    if (!weight || kept.has(weight.name) || readers.get(weight.name) !== 1) return [node];
    const replacement = replace(node, weight, tensors, kind, activations);
    if (!replacement) return [node];
    quantized.push(weight.name);
    added.push(...replacement.initializers);
    return replacement.nodes;
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [...graph.initializers.filter(({ name }) => used.has(name)), ...added];
  return { model: { ...model, graph: { ...graph, nodes, initializers } }, quantized };
}

/** `null` for a node that stays as it is. */
function replace(
  node: NodeRecord,
  weight: TensorRecord,
  tensors: ReadonlyMap<string, TensorRecord>,
  kind: Quantization,
  activations: ActivationTable,
): Replacement | null {
  if (!isMatrix(weight)) return null;
  if (node.opType === 'Gather') return byteTable(node, weight);
  const product = productOf(node, weight, tensors);
  return product && writers[kind](product, activations);
}

const writers: Readonly<Record<Quantization, (product: Product, activations: ActivationTable) => Replacement>> = {
  int8: ({ values, outputs, inputs, ...product }, activations) => {
    const { name } = product.weight;
    const activation = activations.quantize(product.activation);
    const divisors = activation?.divisors;
    const multiplied = divisors ? values.map((value, at) => value * divisors[at % inputs]!) : values;
    const { values: bytes, scales } = quantizeRows(multiplied, outputs, inputs);
    const matrix = makeTensor(`${name}_quantized`, 'int8', [inputs, outputs], transposeBytes(bytes, outputs, inputs));
    const scale = makeTensor(`${name}_scale`, 'float32', [outputs], scales);
    const bias = product.bias?.name ?? '';
    if (!activation) {
      const read = [product.activation, matrix.name, scale.name, '', bias];
      return written(product, 'DynamicQuantizeMatMul', read, {}, [matrix, scale]);
    }
    const read = [activation.bytes, matrix.name, activation.scale, scale.name, activation.zeroPoint, '', bias];
    const { nodes, initializers } = written(product, 'MatMulIntegerToFloat', read, {}, [matrix, scale]);
    return { nodes: [...activation.nodes, ...nodes], initializers: [...activation.initializers, ...initializers] };
  },
  q4: ({ values, outputs, inputs, ...product }) => {
    const { packed, scales, blocks } = packInt4(values, outputs, inputs, BLOCK);
    const { name } = product.weight;
    const matrix = makeTensor(`${name}_q4`, 'uint8', [outputs, blocks, BLOCK / 2], packed);
    const scale = makeTensor(`${name}_scale`, 'float32', [outputs * blocks], scales);
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
  const table = makeTensor(`${weight.name}_quantized`, 'int8', [rows, columns], values);
  const scale = makeTensor(`${weight.name}_scale`, 'float32', [rows, 1], scales);
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
