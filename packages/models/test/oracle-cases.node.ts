/** The encoders' oracle cases: what transformers computed for tiny models. oracles/README.md says what each file holds. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { BatchTensor, DataType } from 'onnx-grad';
import { Tensor } from 'onnxruntime-node';
import type { NamedTensor } from '../src/checkpoint/dtypes.ts';
import { readSafetensors } from '../src/checkpoint/safetensors.node.ts';

export const oracleFolder = path.join(import.meta.dirname, 'oracles');

/** Names of the cases with outputs and gradients. */
export const oracleNames: readonly string[] = readdirSync(oracleFolder).filter((name) =>
  existsSync(path.join(oracleFolder, name, 'expected.safetensors')),
);

export interface OracleCase {
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  /** Without a use in this configuration: no gradient in PyTorch, zeros here. */
  readonly unused: readonly string[];
  /** With a gradient that is zero but for rounding. */
  readonly zero: readonly string[];
}

export async function readOracle(name: string): Promise<OracleCase> {
  const folder = path.join(oracleFolder, name);
  const meta = JSON.parse(readFileSync(path.join(folder, 'meta.json'), 'utf8')) as Record<string, string[]>;
  const tensors = await readSafetensors(path.join(folder, 'expected.safetensors'));
  return { folder, tensors, unused: meta.unused_parameters!, zero: meta.zero_gradients! };
}

/** A tensor as a trainer takes it. @param row of a stacked tensor; absent: the whole */
export function toBatchTensor({ dtype, shape, data }: NamedTensor, row?: number): BatchTensor {
  const bytes = data.slice().buffer;
  const values = dtype === 'int64' ? new BigInt64Array(bytes) : new Float32Array(bytes);
  if (row === undefined) return { dtype: dtype as DataType, dims: shape, data: values };
  const size = values.length / shape[0]!;
  return { dtype: dtype as DataType, dims: shape.slice(1), data: values.subarray(row * size, (row + 1) * size) };
}

export function toTensor(tensor: NamedTensor): Tensor {
  const { dtype, dims, data } = toBatchTensor(tensor);
  return new Tensor(dtype as 'int64', data as BigInt64Array, dims);
}

export function toFloats(tensor: NamedTensor): Float32Array {
  return new Float32Array(tensor.data.slice().buffer);
}

export function largestDifference(actual: Float32Array, expected: Float32Array): number {
  return actual.length === expected.length ? Math.max(...actual.map((v, i) => Math.abs(v - expected[i]!))) : Infinity;
}

/** ‖a - b‖ / ‖b‖. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  return norm(actual.map((value, index) => value - expected[index]!)) / norm(expected);
}

export function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
