/** Products of an activation and a weight matrix, as a model states them. */
import type { Attribute, ModelRecord, NodeRecord, TensorRecord } from '../onnx/model.ts';

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
  return dtype === 'float32' && dims.length === 2 && data.length / 4 >= SMALLEST;
}

/** Activations that a product of `quantizeModel` reads, with their number of channels. */
export function productActivations({ graph }: ModelRecord): Map<string, number> {
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const readers = countReaders(graph.nodes);
  return new Map(
    graph.nodes.flatMap((node) => {
      const weight = tensors.get(node.inputs[1] ?? '');
      if (!weight || readers.get(weight.name) !== 1 || !isMatrix(weight)) return [];
      const product = productOf(node, weight, tensors);
      return product ? [[product.activation, product.inputs] as const] : [];
    }),
  );
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
