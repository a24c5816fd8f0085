/** What is to be trained: a graph with a loss, its parameters and its dropout; and the gradients that training needs. */
import { ConfigError } from '../errors.ts';
import { toPolynomial } from '../graph/dims.ts';
import { type Lookup, onlyLookupOf } from '../graph/embedding.ts';
import { gradients } from '../graph/gradients.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { DataType, Dim } from '../onnx/model.ts';

export interface TrainedParameter {
  readonly name: string;
  /** A float32 graph input of fixed shape. */
  readonly value: Value;
  readonly initial: Float32Array;
  /** Decoupled weight decay; usually 0 for biases and norms. */
  readonly weightDecay: number;
}

/** A mask input multiplied onto values: 0 with `probability`, else 1/(1 - probability). */
export interface Dropout {
  readonly value: Value;
  readonly probability: number;
}

export interface TrainingProgram {
  readonly graph: Graph;
  /** float32 scalar */
  readonly loss: Value;
  readonly parameters: readonly TrainedParameter[];
  readonly dropout?: readonly Dropout[];
  /**
   * How many terms the loss of a batch averages over, which weights it among several of a step. Default: its rows. For
   * losses over tokens see `countedLabels`.
   */
  readonly countTerms?: (batch: Batch) => number;
  /** Whether layers are recomputed in the backward pass; see `checkpoint`. */
  readonly recompute?: boolean;
}

/** Data fed to one input. */
export interface BatchTensor {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
}

/** The inputs of one step by name. The first axis of each counts the same rows. */
export type Batch = Readonly<Record<string, BatchTensor>>;

export interface PlannedGradient {
  readonly parameter: TrainedParameter;
  /** Shaped as the parameter; with `lookup` as the rows that were read. */
  readonly gradient: Value;
  /** For a table that is only looked up: its gradient is that of the rows read. */
  readonly lookup: Lookup | null;
}

/**
 * @param byRows whether the gradient of a table that is only looked up may be left as the rows that were read
 * @throws ConfigError for parameters that are no inputs of fixed shape, or whose initial values do not fill it
 * @throws ShapeError for a loss that is no float32 scalar of their graph
 */
export function planGradients(program: TrainingProgram, { byRows }: { byRows: boolean }): PlannedGradient[] {
  checkParameters(program);
  const lookups = program.parameters.map(
    ({ value }) => (byRows ? lookupOfBatch(value) : null), // of small tables too: onnxruntime 1.30 adds to a row from two threads at once
  );
  const wanted = program.parameters.map(({ value }, index) => lookups[index]?.rows ?? value);
  const found = gradients(program.loss, wanted);
  return program.parameters.map((parameter, index) => ({
    parameter,
    gradient: found[index]!,
    lookup: lookups[index]!,
  }));
}

/** The only look-up of a table, where its ids are in the batch to be read. */
function lookupOfBatch(table: Value): Lookup | null {
  const lookup = onlyLookupOf(table);
  return lookup && table.graph.inputs.includes(lookup.ids) ? lookup : null;
}

function checkParameters({ graph, parameters }: TrainingProgram): void {
  if (parameters.length === 0) throw new ConfigError('The program has no parameters to train.');
  for (const { name, value, initial } of parameters) {
    const shape = value.dims.join(', ');
    if (!graph.inputs.includes(value) || value.name !== name) {
      throw new ConfigError(`The parameter "${name}" is no input of this name in the program's graph.`);
    }
    const length = value.dims.reduce<number>((product, dim) => product * Number(dim), 1);
    if (Number.isNaN(length)) throw new ConfigError(`"${name}" (${shape}): a parameter's sizes are numbers.`);
    if (initial.length !== length) {
      throw new ConfigError(`"${name}" (${shape}): expected ${length} initial numbers, got ${initial.length}.`);
    }
  }
  const names = parameters.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigError(`The parameter "${twice}" is listed twice.`);
}

/** Sizes of the named dimensions, from a batch. @throws ConfigError when two inputs disagree, or a rank is wrong */
export function measure(inputs: readonly Value[], batch: Batch): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, dims, dtype } of inputs) {
    const tensor = batch[name];
    if (!tensor) throw new ConfigError(`The batch has no "${name}" (${dtype}, ${dims.join(' x ')}).`);
    const shapes = `expected ${dtype} (${dims.join(', ')}), got ${tensor.dtype} (${tensor.dims.join(', ')})`;
    if (tensor.dtype !== dtype || tensor.dims.length !== dims.length) throw new ConfigError(`"${name}": ${shapes}.`);
    dims.forEach((dim, axis) => {
      const size = tensor.dims[axis]!;
      const known = typeof dim === 'number' ? dim : (sizes.get(dim) ?? size);
      if (known !== size) throw new ConfigError(`"${name}": ${shapes}; axis ${axis} should be ${known}.`);
      if (typeof dim === 'string') sizes.set(dim, size);
    });
  }
  return sizes;
}

/** The value of a size, given those of its names. */
export function sizeOf(dim: Dim, sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [names, coefficient] of toPolynomial(dim)) {
    const factors = names === '' ? [] : names.split('*');
    sum += factors.reduce((product, name) => product * (sizes.get(name) ?? Number.NaN), coefficient);
  }
  return sum;
}

/** The inputs a session reads, less the parameters: those of a batch, and the dropout masks. */
export function sortInputs(program: TrainingProgram, read: readonly string[]): { batch: Value[]; dropout: Dropout[] } {
  const dropout = (program.dropout ?? []).filter(({ value }) => read.includes(value.name));
  const own = new Set([...program.parameters.map(({ name }) => name), ...dropout.map(({ value }) => value.name)]);
  const batch = program.graph.inputs.filter(({ name }) => read.includes(name) && !own.has(name));
  return { batch, dropout };
}
