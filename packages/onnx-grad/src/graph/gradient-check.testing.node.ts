/**
 * For tests: runs a graph on onnxruntime, and checks gradients against central differences. A tensor is held as plain
 * numbers, so that references can be written in double precision.
 */
import * as ort from 'onnxruntime-node';
import { encodeModel } from '../onnx/encode.ts';
import type { DataType, Dim, ModelRecord } from '../onnx/model.ts';
import { evaluateDim } from './dims.ts';
import { emitModel } from './emit.ts';
import { gradients } from './gradients.ts';
import { Graph, type Value } from './graph.ts';
import { add, mul, reduceSum } from './ops.ts';
import type { OpTable } from './rule.ts';
import { opTable } from './table.ts';

export interface Tensor {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  /** Row by row; a bool is 0 or 1. */
  readonly data: readonly number[];
}

/**
 * By the arithmetic something is computed in.
 * - value: largest |difference| allowed of a result around 1
 * - step: of the central differences; near the cube root of the smallest relative difference, where error is least
 * - gradient: largest difference along a random direction, relative to the gradient's norm. The gradient itself is
 *   always float32, which bounds the second row
 * - rounding: smallest relative difference
 */
export const tolerances = {
  float32: { value: 5e-6, step: 4e-3, gradient: 2e-3, rounding: 2 ** -23 },
  float64: { value: 1e-12, step: 1e-4, gradient: 2e-5, rounding: 2 ** -52 },
  int64: { value: 0 },
  int32: { value: 0 },
  bool: { value: 0 },
} as const;

/** The sizes that named dimensions take. */
export type Sizes = Readonly<Record<string, number>>;

export interface InputSpec {
  readonly dims: readonly Dim[];
  /** Default float32. */
  readonly dtype?: DataType;
  /** Uniform random contents; default -2 to 2. */
  readonly range?: readonly [number, number];
  /** Contents instead, repeated as needed. */
  readonly values?: readonly number[];
}

/** Independent uniform numbers in [0, 1). Source: mulberry32, Tommy Ettinger, public domain. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function makeTensor(spec: InputSpec, random: () => number, sizes: Sizes = {}): Tensor {
  const { dtype = 'float32', range: [low, high] = [-2, 2], values } = spec;
  const dims = spec.dims.map((dim) => evaluateDim(dim, sizes));
  const count = dims.reduce((product, dim) => product * dim, 1);
  const content = (index: number) => values?.[index % values.length] ?? low + (high - low) * random();
  return { dtype, dims, data: Array.from({ length: count }, (_, index) => Math.fround(content(index))) };
}

export function floats(dims: readonly number[], data: readonly number[]): Tensor {
  return { dtype: 'float32', dims, data };
}

type Feeds = Readonly<Record<string, Tensor>>;
export type Run = (feeds: Feeds) => Promise<Record<string, Tensor>>;

/** Results by name. Feeds that the model does not need are left out. */
export async function compile(
  graph: Graph,
  outputs: Readonly<Record<string, Value>>,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Run> {
  return compileModel(emitModel(graph, new Map(Object.entries(outputs))), options);
}

export async function compileModel(
  model: ModelRecord,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Run> {
  const quiet = { intraOpNumThreads: 1, logSeverityLevel: 4 } as const; // errors are thrown as well
  const session = await ort.InferenceSession.create(encodeModel(model), { ...quiet, ...options });
  return async (feeds) => {
    const needed = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const results = await session.run(Object.fromEntries(needed.map(([name, tensor]) => [name, toRuntime(tensor)])));
    return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, fromRuntime(result)]));
  };
}

export async function runGraph(
  graph: Graph,
  outputs: Readonly<Record<string, Value>>,
  feeds: Feeds = {},
): Promise<Record<string, Tensor>> {
  return (await compile(graph, outputs))(feeds);
}

export interface CheckOptions {
  /** Of the inputs and of the direction. */
  readonly seed?: number;
  /** One check for each, with the same session. */
  readonly sizes?: readonly Sizes[];
  readonly table?: OpTable;
  /** The same function in double precision. Default: the graph itself, in float32. */
  readonly reference?: (inputs: readonly Tensor[], sizes: Sizes) => readonly Tensor[];
}

/**
 * The gradient of Σ outputs ∘ random with respect to every float32 input, against central differences along one random
 * direction.
 * @throws Error when they differ by more than the tolerance
 */
export async function checkGradient(
  build: (inputs: Value[]) => Value | readonly Value[],
  specs: readonly InputSpec[],
  { seed = 1, sizes = [{}], table = opTable, reference }: CheckOptions = {},
): Promise<void> {
  const graph = new Graph(table);
  const inputs = specs.map(({ dims, dtype = 'float32' }, index) => graph.input(`input${index}`, dtype, dims));
  const outputs = [build(inputs)].flat() as Value[];
  const weights = outputs.map(({ dims }, index) => graph.input(`weight${index}`, 'float32', dims));
  const loss = outputs.map((output, index) => sumAll(mul(output, weights[index]!))).reduce((a, b) => add(a, b));
  const wanted = inputs.filter(({ dtype }) => dtype === 'float32');
  const results = [...outputs, ...gradients(loss, wanted)];
  const run = await compile(graph, Object.fromEntries(results.map((value, index) => [`result${index}`, value])));
  const { step, gradient, rounding } = tolerances[reference ? 'float64' : 'float32'];

  for (const size of sizes) {
    const random = createRandom(seed);
    const point = specs.map((spec) => makeTensor(spec, random, size));
    const scales = weights.map(({ dims }) => makeTensor({ dims }, random, size));
    const runAt = async (tensors: readonly Tensor[]): Promise<Tensor[]> => {
      const feeds = [
        ...tensors.map((tensor, at) => [`input${at}`, tensor]),
        ...scales.map((w, at) => [`weight${at}`, w]),
      ];
      const found = await run(Object.fromEntries(feeds));
      return results.map((_, at) => found[`result${at}`]!);
    };
    const evaluate = reference ?? runAt;
    const terms = async (tensors: readonly Tensor[]): Promise<number[]> => {
      const values = await evaluate(tensors, size);
      return scales.flatMap((scale, at) => scale.data.map((weight, index) => weight * values[at]!.data[index]!));
    };
    const direction = point.map(({ dtype, data }) => data.map(() => (dtype === 'float32' ? 2 * random() - 1 : 0)));
    const moved = (by: number) =>
      point.map((tensor, at) => ({ ...tensor, data: tensor.data.map((x, index) => x + by * direction[at]![index]!) }));
    const [above, below] = [await terms(moved(step)), await terms(moved(-step))];
    const numeric = sum(above.map((term, index) => term - below[index]!)) / (2 * step);

    const grads = (await runAt(point)).slice(outputs.length).flatMap(({ data }) => data);
    const along = direction.filter((_, at) => point[at]!.dtype === 'float32').flat();
    const symbolic = sum(grads.map((grad, index) => grad * along[index]!));
    const norm = Math.hypot(...grads, numeric);
    const allowed = gradient * norm + (rounding * (1 + sum(above.map(Math.abs)))) / step;
    if (!(Math.abs(symbolic - numeric) <= allowed)) {
      throw new Error(
        `The gradient along a random direction is ${symbolic}, central differences give ${numeric} ± ${allowed}` +
          ` (sizes ${JSON.stringify(size)}, seed ${seed}).`,
      );
    }
  }
}

export function sumAll(value: Value): Value {
  return value.dims.length === 0 ? value : reduceSum(value, { axes: value.dims.map((_, axis) => axis) });
}

/** The largest |difference|, relative where numbers are above 1; Infinity where shapes or types differ. */
export function distance(a: Tensor, b: Tensor): number {
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return Number.POSITIVE_INFINITY;
  const differences = a.data.map((x, at) => Math.abs(x - b.data[at]!) / Math.max(1, Math.abs(b.data[at]!)));
  return Math.max(0, ...differences); // NaN where any is
}

function sum(terms: readonly number[]): number {
  return terms.reduce((total, term) => total + term, 0);
}

function toRuntime({ dtype, dims, data }: Tensor): ort.Tensor {
  switch (dtype) {
    case 'int64':
      return new ort.Tensor(dtype, BigInt64Array.from(data, BigInt), dims);
    case 'int32':
      return new ort.Tensor(dtype, Int32Array.from(data), dims);
    case 'bool':
    case 'uint8':
      return new ort.Tensor(dtype as 'uint8', Uint8Array.from(data), dims);
    case 'float32':
      return new ort.Tensor(dtype, Float32Array.from(data), dims);
    case 'int8':
      return new ort.Tensor(dtype, Int8Array.from(data), dims);
    default:
      throw new Error(`internal: tests feed no ${dtype}.`);
  }
}

function fromRuntime({ type, dims, data }: ort.Tensor): Tensor {
  return { dtype: type as DataType, dims, data: Array.from(data as ArrayLike<number | bigint>, Number) };
}
