/** Nodes and tensors of a model as records. */
import type { NodeRecord, TensorRecord } from '../onnx/model.ts';

/** New nodes in place of one, and the initializers that they read. */
export interface Replacement {
  readonly nodes: readonly NodeRecord[];
  readonly initializers: readonly TensorRecord[];
}

export function makeNode(
  opType: string,
  domain: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>>,
): NodeRecord {
  const entries = Object.entries(attributes).map(([name, value]) => [name, { type: 'int', value }] as const);
  return { name: output, opType, domain, inputs, outputs: [output], attributes: Object.fromEntries(entries) };
}

export function makeTensor(
  name: string,
  dtype: TensorRecord['dtype'],
  dims: readonly number[],
  { buffer, byteOffset, byteLength }: Int8Array | Uint8Array | Float32Array,
): TensorRecord {
  return { name, dtype, dims, data: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) };
}
