/**
 * The operations as functions, named after their ONNX ops: values first, attributes after in an options object.
 * A plain number among the values is a float32 scalar. Each throws ShapeError where the inputs do not fit.
 *
 * Source: onnx/onnx, docs/Operators.md (opset 20); onnxruntime, docs/ContribOperators.md for FusedMatMul, Gelu and
 * SimplifiedLayerNormalization.
 */
import type { DataType, Dim } from '../onnx/model.ts';
import { mulDims } from './dims.ts';
import type { Graph, Value } from './graph.ts';
import type { OpAttributes, OpType } from './op-types.ts';

type Operand = Value | number;

const unary =
  <Op extends OpType>(op: Op) =>
  (x: Value): Value =>
    x.graph.node(op, [x], {} as OpAttributes[Op])[0]!;

const binary =
  <Op extends OpType>(op: Op) =>
  (a: Operand, b: Operand): Value => {
    const graph = graphOf(a, b);
    return graph.node(op, [lift(graph, a), lift(graph, b)], {} as OpAttributes[Op])[0]!;
  };

export const neg = unary('Neg');
export const abs = unary('Abs');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');
export const erf = unary('Erf');
export const tanh = unary('Tanh');
export const sigmoid = unary('Sigmoid');
export const relu = unary('Relu');
export const sin = unary('Sin');
export const cos = unary('Cos');
export const softplus = unary('Softplus');
export const ceil = unary('Ceil');
/** x·Φ(x), Φ the normal distribution function; exact, as torch's `gelu`. */
export const gelu = unary('Gelu');
export const identity = unary('Identity');
export const not = unary('Not');
/** The number of elements, int64 scalar. */
export const size = unary('Size');
/** The sizes at run time, int64 (rank). */
export const shapeOf = unary('Shape');

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const pow = binary('Pow');
export const equal = binary('Equal');
export const less = binary('Less');
export const greater = binary('Greater');
export const and = binary('And');

export function where(condition: Value, a: Operand, b: Operand): Value {
  const { graph } = condition;
  return graph.node('Where', [condition, lift(graph, a), lift(graph, b)], {})[0]!;
}

export function cast(x: Value, to: DataType): Value {
  return x.dtype === to ? x : x.graph.node('Cast', [x], { to })[0]!;
}

/** Batched matrix product with ONNX (numpy) broadcasting of the leading axes. */
export function matMul(a: Value, b: Value): Value {
  return a.graph.node('MatMul', [a, b], {})[0]!;
}

/** `alpha · op(a) · op(b)` over the last two axes, where op transposes them when asked. */
export function fusedMatMul(a: Value, b: Value, options: OpAttributes['FusedMatMul'] = {}): Value {
  return a.graph.node('FusedMatMul', [a, b], options)[0]!;
}

/** `alpha · op(a) · op(b) + beta · c` of matrices; `c` broadcasts to (M, N). */
export function gemm(a: Value, b: Value, c: Value | null = null, options: OpAttributes['Gemm'] = {}): Value {
  return a.graph.node('Gemm', c ? [a, b, c] : [a, b], options)[0]!;
}

/** x · weightᵀ + bias of bytes, with x (M, K) and weight (N, K); `lowerInt8` says which bytes. */
export function int8Gemm(x: Value, weight: Value, bias: Value | null = null): Value {
  return x.graph.node('Int8Gemm', bias ? [x, weight, bias] : [x, weight], {})[0]!;
}

/** grad · weight of bytes: what flows back to x through `int8Gemm`, (M, K) from (M, N) and (N, K). */
export function int8GemmInput(grad: Value, weight: Value): Value {
  return grad.graph.node('Int8GemmInput', [grad, weight], {})[0]!;
}

/**
 * gradᵀ · x of bytes: what flows back to the weight through `int8Gemm`, (N, K) from (M, N) and (M, K). The weight itself says
 * whose activation x is.
 */
export function int8GemmWeight(grad: Value, x: Value, weight: Value): Value {
  return grad.graph.node('Int8GemmWeight', [grad, x, weight], {})[0]!;
}

/** x as signed bytes with a scale for each row (the last axis) would have it; the gradient passes as if nothing were done. */
export const roundRows = unary('RoundRows');

/** uint8 bytes of the range of all elements, 0 included, with scale and zero point. */
export function dynamicQuantizeLinear(x: Value): { bytes: Value; scale: Value; zeroPoint: Value } {
  const [bytes, scale, zeroPoint] = x.graph.node('DynamicQuantizeLinear', [x], {});
  return { bytes: bytes!, scale: scale!, zeroPoint: zeroPoint! };
}

/**
 * round(x / scale) + zeroPoint as bytes of the zero point's type, with one scale and zero point or, as vectors, one for each
 * place along the axis.
 */
export function quantizeLinear(x: Value, scale: Value, zeroPoint: Value, { axis = 1 } = {}): Value {
  return x.graph.node('QuantizeLinear', [x, scale, zeroPoint], { axis })[0]!;
}

/**
 * scaleA · (a - zeroPointA) · scaleB · b + bias.
 * @param a      uint8 (M, K), `scaleA` and `zeroPointA` scalars
 * @param b      int8 (K, N), `scaleB` (N)
 */
export function matMulIntegerToFloat(
  a: { readonly bytes: Value; readonly scale: Value; readonly zeroPoint: Value },
  b: { readonly bytes: Value; readonly scale: Value },
  bias: Value | null = null,
): Value {
  const inputs = [a.bytes, b.bytes, a.scale, b.scale, a.zeroPoint, ...(bias ? [null, bias] : [])];
  return a.bytes.graph.node('MatMulIntegerToFloat', inputs, {})[0]!;
}

export function reduceSum(x: Value, options: OpAttributes['ReduceSum']): Value {
  return x.graph.node('ReduceSum', [x], options)[0]!;
}

export function reduceMean(x: Value, options: OpAttributes['ReduceMean']): Value {
  return x.graph.node('ReduceMean', [x], options)[0]!;
}

export function reduceMax(x: Value, options: OpAttributes['ReduceMax']): Value {
  return x.graph.node('ReduceMax', [x], options)[0]!;
}

export function reduceMin(x: Value, options: OpAttributes['ReduceMin']): Value {
  return x.graph.node('ReduceMin', [x], options)[0]!;
}

/** Sums of the elements up to and with each along an axis; `reverse` from the end. */
export function cumSum(x: Value, options: OpAttributes['CumSum']): Value {
  return x.graph.node('CumSum', [x], options)[0]!;
}

export function softmax(x: Value, { axis = -1 } = {}): Value {
  return x.graph.node('Softmax', [x], { axis })[0]!;
}

export function logSoftmax(x: Value, { axis = -1 } = {}): Value {
  return x.graph.node('LogSoftmax', [x], { axis })[0]!;
}

/** Normalises the last axis; `bias` may be left out. Also gives the saved mean and inverse deviation, both (..., 1). */
export function layerNormalization(
  x: Value,
  scale: Value,
  bias: Value | null,
  { axis = -1, epsilon = 1e-5 } = {},
): { output: Value; mean: Value; inverseDeviation: Value } {
  const inputs = bias ? [x, scale, bias] : [x, scale];
  const outputs = x.graph.node('LayerNormalization', inputs, { axis, epsilon });
  return { output: outputs[0]!, mean: outputs[1]!, inverseDeviation: outputs[2]! };
}

/** x / sqrt(mean(x²) + epsilon) · scale over the last axis. */
export function simplifiedLayerNormalization(x: Value, scale: Value, { axis = -1, epsilon = 1e-5 } = {}): Value {
  return x.graph.node('SimplifiedLayerNormalization', [x, scale], { axis, epsilon })[0]!;
}

/**
 * Positions turned into angles: of each token t, the pair (x_d, x_d+D/2) is rotated by the angle whose cosine and sine
 * stand at row t, column d.
 * @param x      (B, H, T, D)
 * @param cosine (T, D/2)
 * @param sine   (T, D/2)
 * Source: Su et al. 2021, arXiv:2104.09864, in the layout of GPT-NeoX
 */
export function rotaryEmbedding(x: Value, cosine: Value, sine: Value): Value {
  return x.graph.node('RotaryEmbedding', [x, x.graph.integers([0]), cosine, sine], {})[0]!;
}

/** `-1` may stand for one size to be worked out from the rest. */
export function reshape(x: Value, shape: readonly Dim[]): Value {
  return x.graph.node('Reshape', [x], { shape })[0]!;
}

export function transpose(x: Value, perm: readonly number[]): Value {
  return x.graph.node('Transpose', [x], { perm })[0]!;
}

export function expand(x: Value, shape: readonly Dim[]): Value {
  return x.graph.node('Expand', [x], { shape })[0]!;
}

export function concat(values: readonly Value[], { axis }: { axis: number }): Value {
  return values[0]!.graph.node('Concat', values, { axis })[0]!;
}

export function split(x: Value, { axis, sizes }: OpAttributes['Split']): Value[] {
  return x.graph.node('Split', [x], { axis, sizes });
}

/** Elements from `start` up to `end` along one axis. */
export function slice(x: Value, { axis, start = 0, end }: { axis: number; start?: Dim; end: Dim }): Value {
  return x.graph.node('Slice', [x], { axes: [axis], starts: [start], ends: [end] })[0]!;
}

/** Zeros added before and after along each axis. */
export function pad(x: Value, options: OpAttributes['Pad']): Value {
  return x.graph.node('Pad', [x], options)[0]!;
}

/** Rows of `data` along `axis` at integer `indices` of any shape. */
export function gather(data: Value, indices: Value, { axis = 0 } = {}): Value {
  return data.graph.node('Gather', [data, indices], { axis })[0]!;
}

export function gatherElements(data: Value, indices: Value, { axis }: { axis: number }): Value {
  return data.graph.node('GatherElements', [data, indices], { axis })[0]!;
}

/** `data` with `updates` added where `indices` point along `axis`. */
export function scatterElementsAdd(data: Value, indices: Value, updates: Value, { axis }: { axis: number }): Value {
  return data.graph.node('ScatterElements', [data, indices, updates], { axis, reduction: 'add' })[0]!;
}

/** `data` with `updates` added at the coordinates in the last axis of `indices`; equal coordinates add up. */
export function scatterNDAdd(data: Value, indices: Value, updates: Value): Value {
  return data.graph.node('ScatterND', [data, indices, updates], { reduction: 'add' })[0]!;
}

/** Float32 zeros. */
export function zeros(graph: Graph, shape: readonly Dim[]): Value {
  return graph.node('ConstantOfShape', [], { shape })[0]!;
}

/** int64: start, start + 1, … limit - 1. */
export function range(graph: Graph, { start = 0, limit }: { start?: Dim; limit: Dim }): Value {
  return graph.node('Range', [], { start, limit })[0]!;
}

/** `x` unchanged, but not before `after` has been computed: no copy, and no optimizer merges or moves it. */
export function orderAfter(x: Value, after: Value): Value {
  const count = size(after);
  return x.graph.node('ReshapeTo', [x, add(shapeOf(x), sub(count, count))], {})[0]!;
}

/** (..., K) to (N, K), and to no copy: the leading axes become one. */
export function flatten2d(x: Value): Value {
  if (x.dims.length === 2) return x;
  return reshape(x, [x.dims.slice(0, -1).reduce(mulDims, 1), x.dims.at(-1)!]);
}

function graphOf(...operands: Operand[]): Graph {
  for (const operand of operands) if (typeof operand !== 'number') return operand.graph;
  throw new TypeError('internal: an operation needs at least one value.');
}

function lift(graph: Graph, operand: Operand): Value {
  return typeof operand === 'number' ? graph.constant(operand) : operand;
}
