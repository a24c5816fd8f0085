/** What the table says of each operation: its result's type, how it is written as ONNX, and its gradient. */
import { ShapeError } from '../errors.ts';
import type { DataType, Dim } from '../onnx/model.ts';
import type { Node, Value, ValueType } from './graph.ts';
import type { OpAttributes, OpType } from './op-types.ts';

/** A trailing input of the ONNX operation that we keep as an attribute: axes, a shape, slice bounds. */
export type TrailingInput =
  | { readonly integers: readonly Dim[]; readonly mayInfer?: boolean }
  | { readonly integer: Dim };

export interface OnnxForm {
  readonly attributes?: Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;
  readonly trailing?: readonly TrailingInput[];
}

export interface GradientContext<Op extends OpType> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly output: Value;
  readonly attributes: OpAttributes[Op];
  /** Gradient of the first output. */
  readonly grad: Value;
  /** Gradient of every output, `null` where none flows. */
  readonly grads: readonly (Value | null)[];
  readonly node: Node<Op>;
}

/**
 * One gradient per input, `null` where none flows. A gradient may still have the output's broadcast shape:
 * the walker sums it back to the input's.
 */
export type GradientRule<Op extends OpType> = (context: GradientContext<Op>) => readonly (Value | null)[];

/** Stated where an operation is constant almost everywhere or works on integers: nothing flows back through it. */
export const none = 'none';

export interface OpRule<Op extends OpType> {
  readonly domain?: 'com.microsoft';
  readonly infer: (inputs: readonly Value[], attributes: OpAttributes[Op]) => readonly ValueType[];
  /** Default: the attributes as they are, no trailing inputs. */
  readonly onnx?: (attributes: OpAttributes[Op], inputs: readonly Value[]) => OnnxForm;
  readonly gradient: GradientRule<Op> | typeof none;
}

/** Total: an operation without a row does not compile. */
export type OpTable = { readonly [Op in OpType]: OpRule<Op> };

/** @throws ShapeError unless the value has one of these element types. */
export function expectDtype(op: OpType, { dtype }: Value, ...expected: readonly DataType[]): void {
  if (!expected.includes(dtype)) throw new ShapeError(`${op}: expected ${expected.join(' or ')}, got ${dtype}.`);
}

export function isFloat({ dtype }: Value): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64';
}

export function type(dtype: DataType, dims: readonly Dim[]): ValueType {
  return { dtype, dims };
}
