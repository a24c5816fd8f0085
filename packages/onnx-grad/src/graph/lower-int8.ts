/**
 * Products of bytes as onnxruntime has them.
 *
 * - `Int8Gemm`: x as uint8 with one scale and zero point, which are fed: those of a range that the trainer follows, so that
 *   a text's bytes depend on no other text, and a model is served with the bytes that it was trained with. Outlying
 *   channels of x are divided before, by factors that are fed too (inference/channel-ranges.ts); the copy of the weight has
 *   them multiplied. The weight as int8 with a scale for each output.
 * - `Int8GemmInput`: the gradient as uint8 with a scale for each row, since rows (tokens) differ in size by far more than
 *   bytes can tell apart; the weight as int8 with a scale for each input. onnxruntime takes one scale for a whole left
 *   factor, so the rows' are multiplied onto the result.
 * - `Int8GemmWeight`: the gradient as int8 with a scale for each column (output), x as the bytes of the forward product. The
 *   result is made turned, since only a right factor may have a scale a column, and since onnxruntime multiplies unsigned
 *   bytes with signed ones twice as fast as with unsigned ones.
 *
 * Scales a row of gradients: SwitchBack (Wortsman et al. 2023, arXiv:2304.13013), which leaves the weight's gradient in
 * 16 bits; a finer scale for it as well: Jetfire (Xi et al. 2024, arXiv:2403.12422). What it costs: docs/experiments.md.
 */
import { ShapeError } from '../errors.ts';
import type { Dim } from '../onnx/model.ts';
import type { Copied } from './copier.ts';
import { type Graph, isConstant, type Value } from './graph.ts';
import { type LoweringTable, lower } from './lower.ts';
import {
  abs,
  add,
  cast,
  div,
  dynamicQuantizeLinear,
  expand,
  flatten2d,
  matMulIntegerToFloat,
  mul,
  quantizeLinear,
  reciprocal,
  reduceMax,
  reduceMin,
  reshape,
  split,
  sub,
  transpose,
} from './ops.ts';

/** Which of its two copies of a weight (N, K) a product reads. */
export type CopySide = 'forward' | 'backward';

/** A weight's bytes as two inputs of the lowered graph. */
export interface WeightCopy {
  /** The float32 input (N, K) that is copied. */
  readonly weight: string;
  readonly side: CopySide;
  /** int8: (K, N) of the forward product, (N, K) of the backward one. */
  readonly bytes: Value;
  /** float32: (N) and (K), so that weight ≈ scale · byte. */
  readonly scale: Value;
}

/** An activation that products read as bytes, named after the weight of the first product. */
export interface RangedActivation {
  readonly name: string;
  /** Inputs of the lowered graph; `null` where each run takes the range that it finds. */
  readonly fed: FedBytes | null;
  /** What a run can give. Fed: smallest and largest value after the factors, scalars. Else: of each channel, (K). */
  readonly low: Value;
  readonly high: Value;
}

/** x · factors ≈ scale · (byte - zeroPoint). */
interface FedBytes {
  /** float32 (K): 1, and less for outlying channels */
  readonly factors: Value;
  /** float32 and uint8 scalars */
  readonly scale: Value;
  readonly zeroPoint: Value;
}

export interface LoweredInt8 extends Copied {
  /** What is to be fed beside the graph's own inputs. */
  readonly copies: readonly WeightCopy[];
  /** Several of one name where a weight is read with several activations, which share their bytes' scale. */
  readonly activations: readonly RangedActivation[];
  /** The activation that each weight is read with. */
  readonly namesByWeight: ReadonlyMap<string, string>;
}

export interface LowerInt8Options {
  /** Where the range of an activation's bytes comes from: `fed`, or from each `run`. Default `fed`. */
  readonly ranges?: 'fed' | 'run';
}

const MIDDLE = 128; // zero point of the gradients' bytes, 1 to 255
const MOST = 127; // as weights have it
const LEAST = 1e-37; // added to a scale: zeros are divided by it, and no other numbers see it

/** The same outputs with every product of bytes written out. @throws ShapeError for a weight that is no input of the graph */
export function lowerInt8(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  { ranges = 'fed' }: LowerInt8Options = {},
): LoweredInt8 {
  const copies = new Copies();
  const activations = new Activations(ranges);
  const rows = new RowBytes();
  const table: LoweringTable = {
    Int8Gemm: ([x, weight, bias = null]) => [
      matMulIntegerToFloat(activations.of(x!, weight!).bytes, copies.of(weight!, 'forward'), bias),
    ],
    Int8GemmInput: ([grad, weight]) => {
      const { rowScales, ...bytes } = rows.of(grad!);
      return [mul(matMulIntegerToFloat(bytes, copies.of(weight!, 'backward')), rowScales)];
    },
    Int8GemmWeight: ([grad, x, weight]) => {
      const { fed } = activations.of(x!, weight!);
      const turned = matMulIntegerToFloat(activations.turned(x!, weight!), quantizeColumns(grad!)); // (K, N)
      const whole = fed ? div(turned, reshape(fed.factors, [fed.factors.dims[0]!, 1])) : turned;
      return [transpose(whole, [1, 0])];
    },
    RoundRows: ([x]) => {
      const { bytes, rowScales } = rows.of(flatten2d(x!));
      const floats = mul(sub(cast(bytes, 'float32'), MIDDLE), rowScales);
      return [reshape(floats, x!.dims)];
    },
  };
  const lowered = lower(graph, outputs, table);
  return { ...lowered, copies: copies.made, activations: activations.made, namesByWeight: activations.namesByWeight };
}

/** The float32 input that a weight is, or is a part of. */
function sourceOf(weight: Value): { readonly source: Value; readonly parts: readonly Value[] | null } {
  const { producer } = weight;
  if (!producer && !isConstant(weight)) return { source: weight, parts: null };
  const [source] = (producer?.inputs ?? []) as [Value?];
  const isPart = producer?.op === 'Split' && (producer.attributes as { axis: number }).axis === 0;
  if (isPart && source && !source.producer && !isConstant(source)) return { source, parts: producer.outputs };
  const what = producer ? `made by ${producer.op}` : 'a constant';
  throw new ShapeError(`Int8Gemm: its weight is ${what}, expected an input of the graph.`);
}

interface Bytes {
  readonly bytes: Value;
  readonly scale: Value;
}

/** The weights' copies, each declared when it is first read. */
class Copies {
  readonly made: WeightCopy[] = [];
  readonly #parts = new Map<Value, Readonly<Record<CopySide, Bytes[]>>>();

  of(weight: Value, side: CopySide): Bytes {
    const { source, parts } = sourceOf(weight);
    return parts ? this.#partsOf(source, parts, side)[parts.indexOf(weight)]! : this.#whole(source, side);
  }

  #whole({ graph, name, dims: shape }: Value, side: CopySide): Bytes {
    const known = this.made.find((copy) => copy.weight === name && copy.side === side);
    if (known) return known;
    const [outputs, inputs] = shape as [number, number];
    const [dims, channels] = side === 'forward' ? [[inputs, outputs], outputs] : [[outputs, inputs], inputs];
    const bytes = graph.input(`${side} bytes:${name}`, 'int8', dims);
    const scale = graph.input(`${side} scale:${name}`, 'float32', [channels]);
    const copy = { weight: name, side, bytes, scale };
    this.made.push(copy);
    return copy;
  }

  #partsOf(source: Value, parts: readonly Value[], side: CopySide): Bytes[] {
    const known = this.#parts.get(parts[0]!) ?? { forward: [], backward: [] };
    this.#parts.set(parts[0]!, known);
    if (known[side].length > 0) return known[side];
    const { bytes, scale } = this.#whole(source, side);
    const sizes = parts.map(({ dims }) => dims[0] as number);
    const cut = split(bytes, { axis: side === 'forward' ? 1 : 0, sizes });
    const scales = side === 'forward' ? split(scale, { axis: 0, sizes }) : parts.map(() => scale);
    known[side].push(...cut.map((bytes, part) => ({ bytes, scale: scales[part]! })));
    return known[side];
  }
}

interface LeftBytes extends Bytes {
  readonly zeroPoint: Value;
}

interface ActivationValues {
  readonly bytes: LeftBytes;
  readonly fed: FedBytes | null;
  readonly name: string;
}

/** Activations as bytes: each made once, however many products read it. */
class Activations {
  readonly made: RangedActivation[] = [];
  readonly namesByWeight = new Map<string, string>();
  readonly #ranges: 'fed' | 'run';
  readonly #values = new Map<Value, ActivationValues>();
  readonly #turned = new Map<Value, LeftBytes>();

  constructor(ranges: 'fed' | 'run') {
    this.#ranges = ranges;
  }

  /** @throws ShapeError for a weight that is read with two activations, one of which another weight gave its name */
  of(x: Value, weight: Value): ActivationValues {
    const { name: source } = sourceOf(weight).source;
    const known = this.namesByWeight.get(source) ?? source;
    const values = once(this.#values, x, () => this.#make(x, known));
    if (this.namesByWeight.has(source) && values.name !== known) {
      throw new ShapeError(`Int8Gemm: "${source}" is read with the activations of "${known}" and "${values.name}".`);
    }
    this.namesByWeight.set(source, values.name);
    return values;
  }

  /** The same bytes, (K, M) of x (M, K). */
  turned(x: Value, weight: Value): LeftBytes {
    return once(this.#turned, x, () => {
      const { bytes, ...rest } = this.of(x, weight).bytes;
      return { bytes: transpose(bytes, [1, 0]), ...rest };
    });
  }

  #make(x: Value, name: string): ActivationValues {
    if (this.#ranges === 'run') {
      this.made.push({ name, fed: null, low: reduceMin(x, { axes: [0] }), high: reduceMax(x, { axes: [0] }) });
      return { bytes: dynamicQuantizeLinear(x), fed: null, name };
    }
    const fed = this.#inputs(x, name);
    const divided = mul(x, fed.factors);
    this.made.push({
      name,
      fed,
      low: reduceMin(divided, { axes: [0, 1] }),
      high: reduceMax(divided, { axes: [0, 1] }),
    });
    const { scale, zeroPoint } = fed;
    return { bytes: { bytes: quantizeLinear(divided, scale, zeroPoint), scale, zeroPoint }, fed, name };
  }

  #inputs({ graph, dims }: Value, name: string): FedBytes {
    const known = this.made.find((activation) => activation.name === name);
    if (known?.fed) return known.fed;
    return {
      factors: graph.input(`activation factors:${name}`, 'float32', [dims[1]!]),
      scale: graph.input(`activation scale:${name}`, 'float32', []),
      zeroPoint: graph.input(`activation zero point:${name}`, 'uint8', []),
    };
  }
}

/** Matrices as bytes of 1, and `rowScales` (M, 1) that they stand for, to multiply a product's rows with. */
class RowBytes {
  readonly #made = new Map<Value, LeftBytes & { readonly rowScales: Value }>();
  readonly #zeroPoints = new Map<Dim, Value>();

  of(x: Value): LeftBytes & { readonly rowScales: Value } {
    return once(this.#made, x, () => {
      const { graph } = x;
      const [rows] = x.dims as [Dim, number];
      const rowScales = byteScales(x, { alongAxis: 0, keepdims: true });
      const zeroPoint = cast(graph.constant(MIDDLE), 'uint8');
      const zeroPoints = once(this.#zeroPoints, rows, () => expand(reshape(zeroPoint, [1]), [rows]));
      const bytes = quantizeLinear(x, reshape(rowScales, [rows]), zeroPoints, { axis: 0 });
      return { bytes, scale: graph.constant(1), zeroPoint, rowScales };
    });
  }
}

/** int8 with a scale for each column. */
function quantizeColumns(x: Value): Bytes {
  const scale = byteScales(x, { alongAxis: 1 });
  const zero = cast(x.graph.constant(0), 'int8');
  return { bytes: quantizeLinear(mul(x, reciprocal(scale)), x.graph.constant(1), zero), scale };
}

/** What a byte stands for in each row (axis 0) or column (1) of a matrix whose largest value becomes 127. */
function byteScales(x: Value, { alongAxis, keepdims = false }: { alongAxis: 0 | 1; keepdims?: boolean }): Value {
  const largest = reduceMax(abs(x), { axes: [1 - alongAxis], keepdims });
  return add(div(largest, MOST), LEAST);
}

function once<Key, Made>(known: Map<Key, Made>, key: Key, make: () => Made): Made {
  const found = known.get(key);
  if (found) return found;
  const made = make();
  known.set(key, made);
  return made;
}
