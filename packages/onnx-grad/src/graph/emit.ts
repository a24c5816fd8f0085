/** Writes a graph as an ONNX model: only what the outputs need, attributes and trailing inputs as the spec has them. */
import { ShapeError } from '../errors.ts';
import { dataTypeCodes } from '../onnx/data-types.ts';
import type { Attribute, Dim, GraphRecord, ModelRecord, NodeRecord, TensorRecord, ValueRecord } from '../onnx/model.ts';
import { checkGraph } from './check.ts';
import { addDims, factorsOf, functionOf, type SizeFunction, toPolynomial } from './dims.ts';
import { fuse } from './fuse.ts';
import { type Constant, type Graph, isConstant, type Node, type Value } from './graph.ts';
import type { OpType } from './op-types.ts';
import type { OnnxForm, TrailingInput } from './rule.ts';

export interface EmitOptions {
  /** Graph inputs to be stored in the model instead of fed: weights, by input name. */
  readonly initializers?: ReadonlyMap<string, Uint8Array>;
  readonly name?: string;
  /**
   * Orders the nodes so that onnxruntime finishes each output as soon as its inputs are there. Frees what gradient
   * checkpointing computes again; where everything is kept anyway it tends to take a little more memory. Default false.
   */
  readonly finishesEarly?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

const OPSET = 20; // onnxruntime 1.17 and later
const IR_VERSION = 9; // goes with opset 20

/**
 * @param outputs by the name each gets in the model, in order
 * @throws ShapeError when a named dimension has no input to take its size from, or an output has the name of an input
 */
export function emitModel(graph: Graph, outputs: ReadonlyMap<string, Value>, options: EmitOptions = {}): ModelRecord {
  const writer = new Writer(graph, outputs);
  const fused = fuse(reachable(graph, [...outputs.values()]), new Set(outputs.values()));
  const nodes = options.finishesEarly ? resultsLast(fused) : fused;
  for (const node of nodes) writer.markInputs(node);
  for (const node of nodes) writer.writeNode(node);
  for (const [name, value] of outputs) writer.writeOutput(name, value);
  const stored = options.initializers ?? new Map<string, Uint8Array>();
  const used = graph.inputs.filter((input) => writer.used.has(input));
  const weights = used
    .filter((input) => stored.has(input.name))
    .map((input) => tensorRecord({ ...input, data: stored.get(input.name)! }, input.name));
  const record: GraphRecord = {
    name: options.name ?? 'graph',
    inputs: used.filter((input) => !stored.has(input.name)).map(valueRecord),
    outputs: [...outputs].map(([name, value]) => ({ ...valueRecord(value), name })),
    initializers: [...weights, ...writer.initializers.values()],
    nodes: writer.nodes,
  };
  checkGraph(record);
  return {
    irVersion: IR_VERSION,
    producerName: 'onnx-grad',
    opsets: { '': OPSET, 'com.microsoft': 1 },
    metadata: options.metadata ?? {},
    graph: record,
  };
}

/** The nodes that any of `outputs` needs, in order. */
export function reachable(graph: Graph, outputs: readonly Value[]): Node[] {
  const needed = new Set<Node>();
  const pending = outputs.flatMap((value) => (value.producer ? [value.producer] : []));
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) if (input?.producer) pending.push(input.producer);
  }
  return graph.nodes.filter((node) => needed.has(node));
}

/**
 * Nodes that no other reads go to the end, the later ones first: onnxruntime runs what a result needs, result by result,
 * from the last node of the model on. In the order of making, it would run the whole backward pass for the first layer's
 * gradients and keep what the other layers' read, recomputed values included, until their turn.
 */
function resultsLast(nodes: readonly Node[]): Node[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isResult = ({ outputs }: Node) => !outputs.some((output) => read.has(output));
  return [...nodes.filter((node) => !isResult(node)), ...nodes.filter(isResult).reverse()];
}

class Writer {
  readonly nodes: NodeRecord[] = [];
  readonly initializers = new Map<string, TensorRecord>();
  readonly used = new Set<Value>();
  readonly #graph: Graph;
  readonly #sizes = new Map<string, string>();

  /** What a value is called in the model: the first output it stands for, or its own name. */
  readonly #outputNames = new Map<Value, string>();
  readonly #taken: ReadonlySet<string>;

  constructor(graph: Graph, outputs: ReadonlyMap<string, Value>) {
    this.#graph = graph;
    this.#taken = new Set(outputs.keys());
    const conflict = graph.inputs.find((input) => this.#taken.has(input.name));
    if (conflict) throw new ShapeError(`output "${conflict.name}": an input has this name already.`);
    for (const [name, value] of outputs) {
      if (value.producer && !this.#outputNames.has(value)) this.#outputNames.set(value, name);
    }
  }

  /** The inputs a node reads: where named dimensions take their sizes from first. */
  markInputs(node: Node): void {
    for (const input of node.inputs) if (input?.producer === null && !isConstant(input)) this.used.add(input);
  }

  writeNode(node: Node): void {
    const rule = this.#graph.rules[node.op];
    const form = rule.onnx as ((attributes: unknown, inputs: unknown) => OnnxForm) | undefined;
    const { attributes, trailing = [] } = form?.(node.attributes, node.inputs) ?? { attributes: node.attributes };
    const inputs = node.inputs.map((input) => (input ? this.#read(input) : ''));
    for (const extra of trailing) inputs.push(this.#trailing(extra));
    const outputs = node.outputs.map((output) => this.#nameOf(output));
    this.#write(onnxName[node.op] ?? node.op, inputs, outputs, attributes as OnnxForm['attributes'], rule.domain);
  }

  writeOutput(name: string, value: Value): void {
    if (this.#outputNames.get(value) !== name) this.#write('Identity', [this.#read(value)], [name]);
  }

  #nameOf(value: Value): string {
    return this.#outputNames.get(value) ?? (this.#taken.has(value.name) ? `inner:${value.name}` : value.name);
  }

  #read(value: Value): string {
    if (isConstant(value)) this.initializers.set(this.#nameOf(value), tensorRecord(value, this.#nameOf(value)));
    else if (value.producer === null) this.used.add(value);
    return this.#nameOf(value);
  }

  /** A scalar, or a one-dimensional tensor of sizes where one unknown may be left to Reshape as -1. */
  #trailing(extra: TrailingInput): string {
    if ('integer' in extra) return this.#scalar(extra.integer);
    const { integers, mayInfer } = extra;
    const named = integers.filter((dim) => typeof dim === 'string').length;
    if (named === 0 || (named === 1 && mayInfer)) {
      return this.#read(this.#graph.integers(integers.map((dim) => (typeof dim === 'number' ? dim : -1))));
    }
    const key = `[${integers.join(',')}]`;
    return this.#once(key, () => ['Concat', integers.map((dim) => this.#size(dim)), { axis: 0 }]);
  }

  #scalar(dim: Dim): string {
    if (typeof dim === 'number') return this.#read(this.#graph.integers([dim], []));
    const axes = this.#read(this.#graph.integers([0]));
    return this.#once(`scalar ${dim}`, () => ['Squeeze', [this.#size(dim), axes]]);
  }

  /** A size as an int64 tensor of one element, computed at run time from the inputs' shapes. */
  #size(dim: Dim): string {
    if (typeof dim === 'number') return this.#read(this.#graph.integers([dim]));
    const terms = [...toPolynomial(dim)].map(([names, coefficient]) => {
      const factors = factorsOf(names).map((name) => this.#named(name));
      if (coefficient !== 1 || factors.length === 0) factors.push(this.#read(this.#graph.integers([coefficient])));
      return factors.reduce((a, b) => this.#once(`${a} * ${b}`, () => ['Mul', [a, b]]));
    });
    return terms.reduce((a, b) => this.#once(`${a} + ${b}`, () => ['Add', [a, b]]));
  }

  #named(name: string): string {
    const rule = functionOf(name);
    if (rule) return this.#computed(name, rule);
    const input = [...this.used, ...this.#graph.inputs].find(({ dims }) => dims.includes(name));
    if (!input) {
      throw new ShapeError(`The size "${name}" is not among the graph's inputs, so it is unknown when the graph runs.`);
    }
    return this.#once(`size ${name}`, () => {
      this.used.add(input);
      const shape = this.#once(`shape of ${input.name}`, () => ['Shape', [input.name]]);
      return ['Gather', [shape, this.#read(this.#graph.integers([input.dims.indexOf(name)]))], { axis: 0 }];
    });
  }

  /** ⌈of / by⌉ as (of + by - 1) / by, whose quotient of integers drops the rest; and `of > by` as 1 or 0. */
  #computed(name: string, { kind, of, by }: SizeFunction): string {
    const constant = (value: number) => this.#read(this.#graph.integers([value]));
    if (kind === 'ceil') {
      const raised = this.#size(addDims(of, by - 1));
      return this.#once(`size ${name}`, () => ['Div', [raised, constant(by)]]);
    }
    const isGreater = this.#once(`is ${name}`, () => ['Greater', [this.#size(of), constant(by)]]);
    return this.#once(`size ${name}`, () => ['Cast', [isGreater], { to: dataTypeCodes.int64 }]);
  }

  #once(key: string, make: () => [string, string[], OnnxForm['attributes']?]): string {
    const existing = this.#sizes.get(key);
    if (existing) return existing;
    const name = `size:${key}`;
    const [op, inputs, attributes] = make();
    this.#write(op, inputs, [name], attributes);
    this.#sizes.set(key, name);
    return name;
  }

  #write(opType: string, inputs: string[], outputs: string[], attributes: OnnxForm['attributes'] = {}, domain = '') {
    this.nodes.push({ name: outputs[0]!, opType, domain, inputs, outputs, attributes: toAttributes(attributes) });
  }
}

/** Names that differ from ONNX's. */
const onnxName: { readonly [Op in OpType]?: string } = { ReshapeTo: 'Reshape' };

function toAttributes(attributes: NonNullable<OnnxForm['attributes']>): Record<string, Attribute> {
  const entries = Object.entries(attributes).map(([name, value]): [string, Attribute] => {
    if (typeof value === 'string') return [name, { type: 'string', value }];
    if (typeof value === 'number') return [name, { type: 'int', value }];
    if ('float' in value) return [name, { type: 'float', value: value.float }];
    return [name, { type: 'ints', value }];
  });
  return Object.fromEntries(entries);
}

function valueRecord({ name, dtype, dims }: Value): ValueRecord {
  return { name, dtype, dims };
}

function tensorRecord({ dtype, dims, data }: Constant, name: string): TensorRecord {
  return { name, dtype, dims: dims as number[], data };
}
