/** Products of an activation and a weight matrix, as a model states them. */

import type { Attribute, ModelRecord, NodeRecord, TensorRecord } from '../onnx/model.ts';
import { type ActivationRange, byteScale, type ChannelRanges, divisorsOf } from './channel-ranges.ts';

const SMALLEST = 4096; // weights of a matrix; a smaller one saves nothing

/** A product, whatever operation states it. */
export interface Product {
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

/** Whether a weight is worth fewer bits. */
export function isMatrix({ dtype, dims, data }: TensorRecord): boolean {
  return dtype === 'float32' && dims.length === 2 && isWorthBytes(data.length / 4);
}

/** Whether a matrix of so many weights becomes smaller. */
export function isWorthBytes(count: number): boolean {
  return count >= SMALLEST;
}

/** Activations that a product of `quantizeModel` reads, with their number of channels. */
export function productActivations(model: ModelRecord): Map<string, number> {
  return new Map(products(model).map(({ activation, inputs }) => [activation, inputs]));
}

export interface TrainedBytes {
  /** By activation, for `quantizeModel`. */
  readonly ranges: Map<string, ChannelRanges>;
  /** Weights of products that were floats in training. */
  readonly floats: string[];
}

/** What the activations of a model are as bytes that was trained in int8, from the ranges by the weights that read them. */
export function trainedBytes(model: ModelRecord, byWeight: ReadonlyMap<string, ActivationRange>): TrainedBytes {
  const all = products(model);
  const ranges = new Map(
    all.flatMap(({ activation, weight, inputs }) => {
      const range = byWeight.get(weight.name);
      if (!range) return [];
      const divisors = range.outliers.length > 0 ? divisorsOf(range, inputs) : null;
      const bytes = { ...byteScale([range.low, range.high]), divisors };
      return [[activation, { low: Float32Array.of(range.low), high: Float32Array.of(range.high), bytes }] as const];
    }),
  );
  const floats = all.filter(({ activation }) => !ranges.has(activation)).map(({ weight }) => weight.name);
  return { ranges, floats };
}

function products({ graph }: ModelRecord): Product[] {
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const readers = countReaders(graph.nodes);
  return graph.nodes.flatMap((node) => {
    const weight = tensors.get(node.inputs[1] ?? '');
    if (!weight || readers.get(weight.name) !== 1 || !isMatrix(weight)) return [];
    return productOf(node, weight, tensors) ?? [];
  });
}

export function productOf(
  node: NodeRecord,
  weight: TensorRecord,
  tensors: ReadonlyMap<string, TensorRecord>,
): Product | null {
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

export function countReaders(nodes: readonly NodeRecord[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

export function floatsOf({ data }: TensorRecord): Float32Array {
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
