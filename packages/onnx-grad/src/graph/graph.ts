/**
 * A graph under construction: values and the nodes that make them, in the order they were made, which is a topological
 * order. Shapes and element types are inferred when a node is made, so a mistake throws at the caller's line.
 */
import { ShapeError } from '../errors.ts';
import type { DataType, Dim } from '../onnx/model.ts';
import { expectSizes, formatShape, sameShape } from './dims.ts';
import type { OpAttributes, OpType } from './op-types.ts';
import type { OpTable } from './rule.ts';

export interface ValueType {
  readonly dtype: DataType;
  readonly dims: readonly Dim[];
}

/** The result of a node, a graph input or a constant. */
export interface Value extends ValueType {
  readonly graph: Graph;
  readonly name: string;
  /** The node that makes it; `null` for inputs and constants. */
  readonly producer: Node | null;
}

/** A value whose contents are part of the graph. */
export interface Constant extends Value {
  readonly data: Uint8Array;
}

export interface Node<Op extends OpType = OpType> {
  readonly id: number;
  readonly op: Op;
  readonly attributes: OpAttributes[Op];
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
}

/**
 * A part of the graph whose gradient is stated as a whole instead of derived node by node.
 * `backward` gets one gradient per output (`null` where none flows) and returns one per input.
 */
export interface Macro {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly backward: (grads: readonly (Value | null)[]) => readonly (Value | null)[];
}

export class Graph {
  readonly rules: OpTable;
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  readonly macros: Macro[] = [];
  readonly #names = new Set<string>();
  /** How many values were named after each operation. */
  readonly #counts = new Map<string, number>();
  readonly #constants = new Map<string, Constant>();
  #depth = 0;

  constructor(rules: OpTable) {
    this.rules = rules;
  }

  /** A value fed at every run: a parameter, a batch, a mask. Named dimensions get their size from here. */
  input(name: string, dtype: DataType, dims: readonly Dim[]): Value {
    const existing = this.inputs.find((value) => value.name === name);
    if (existing) throw new ShapeError(`input "${name}" exists already, with shape ${formatShape(existing.dims)}.`);
    if (this.#names.has(name)) throw new ShapeError(`input "${name}": a node or constant has this name already.`);
    expectSizes(`input "${name}"`, dims);
    this.#names.add(name);
    const value: Value = { graph: this, name, dtype, dims, producer: null };
    this.inputs.push(value);
    return value;
  }

  /** A float32 constant; a plain number is a scalar. Equal constants are made once. */
  constant(data: number | Float32Array, dims: readonly number[] = []): Constant {
    return this.#constant('float32', typeof data === 'number' ? Float32Array.of(data) : data, dims);
  }

  /** An int64 constant. */
  integers(data: readonly number[], dims: readonly number[] = [data.length]): Constant {
    return this.#constant('int64', BigInt64Array.from(data, BigInt), dims);
  }

  /** Appends an operation and returns its outputs. */
  node<Op extends OpType>(op: Op, inputs: readonly (Value | null)[], attributes: OpAttributes[Op]): Value[] {
    for (const input of inputs) {
      if (input && input.graph !== this) throw new ShapeError(`${op}: input "${input.name}" is of another graph.`);
    }
    const types = this.rules[op].infer(inputs as Value[], attributes);
    const outputs: Value[] = [];
    const node: Node<Op> = { id: this.nodes.length, op, attributes, inputs, outputs };
    for (const { dtype, dims } of types) {
      expectSizes(op, dims);
      outputs.push({ graph: this, name: this.#unique(op), dtype, dims, producer: node });
    }
    this.nodes.push(node);
    return outputs;
  }

  /**
   * Builds a part with `forward` and states its gradient with `backward`, which runs only when a gradient is wanted.
   * Inside another macro's forward the outer one's gradient holds.
   */
  macro(
    name: string,
    inputs: readonly Value[],
    forward: () => readonly Value[],
    backward: (outputs: readonly Value[], grads: readonly (Value | null)[]) => readonly (Value | null)[],
  ): readonly Value[] {
    const first = this.nodes.length;
    this.#depth += 1;
    let outputs: readonly Value[];
    try {
      outputs = forward();
    } finally {
      this.#depth -= 1;
    }
    const nodes = this.nodes.slice(first);
    if (this.#depth === 0 && nodes.length > 0) {
      if (!outputs.every(({ producer }) => producer && producer.id >= first)) {
        throw new ShapeError(`${name}: its result is made outside of it, expected one of its own values.`);
      }
      this.macros.push({ name, inputs, outputs, nodes, backward: (grads) => backward(outputs, grads) });
    }
    return outputs;
  }

  #constant(dtype: DataType, array: Float32Array | BigInt64Array, dims: readonly number[]): Constant {
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (size !== array.length) {
      throw new ShapeError(`constant: shape ${formatShape(dims)} holds ${size} elements, got ${array.length}.`);
    }
    const data = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const key = array.length <= 16 ? `${dtype} ${dims.join(',')} ${data.join(',')}` : ''; // bytes: -0 is not 0
    const existing = this.#constants.get(key);
    if (existing) return existing;
    const name = this.#unique('constant');
    const value: Constant = { graph: this, name, dtype, dims: [...dims], producer: null, data };
    this.#constants.set(key || name, value);
    return value;
  }

  #unique(name: string): string {
    for (;;) {
      const count = this.#counts.get(name) ?? 0;
      this.#counts.set(name, count + 1);
      const unique = count === 0 ? name : `${name}_${count}`;
      if (this.#names.has(unique)) continue; // an input is called so
      this.#names.add(unique);
      return unique;
    }
  }
}

export function isConstant(value: Value): value is Constant {
  return 'data' in value;
}

/** The number a float32 scalar constant holds, or `null`. */
export function scalarOf(value: Value | null | undefined): number | null {
  if (!value || !isConstant(value) || value.dtype !== 'float32' || value.dims.length !== 0) return null;
  return new DataView(value.data.buffer, value.data.byteOffset).getFloat32(0, true);
}

/** @throws ShapeError unless the value has exactly this type. */
export function expectType(what: string, value: Value, dtype: DataType, dims: readonly Dim[]): void {
  if (value.dtype !== dtype || !sameShape(value.dims, dims)) {
    throw new ShapeError(
      `${what}: expected ${dtype} ${formatShape(dims)}, got ${value.dtype} ${formatShape(value.dims)}.`,
    );
  }
}
