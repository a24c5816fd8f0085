/** Every operation the graph knows, with its attributes, named as ONNX names them. Absent means the spec's default. */
import type { DataType, Dim } from '../onnx/model.ts';

type None = Record<never, never>;
type Axis = { readonly axis: number };
type Reduction = { readonly axes: readonly number[]; readonly keepdims?: boolean };

export interface OpAttributes {
  // element-wise, one input
  Neg: None;
  Abs: None;
  Exp: None;
  Log: None;
  Sqrt: None;
  Reciprocal: None;
  Erf: None;
  Tanh: None;
  Sigmoid: None;
  Relu: None;
  Sin: None;
  Cos: None;
  Softplus: None;
  Ceil: None;
  /** onnxruntime's exact Gelu, x·Φ(x) */
  Gelu: None;
  Identity: None;
  Not: None;
  Cast: { readonly to: DataType };
  // element-wise, broadcasting
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  Pow: None;
  Equal: None;
  Less: None;
  Greater: None;
  And: None;
  Where: None;
  // products
  MatMul: None;
  /** onnxruntime's alpha·op(A)·op(B), batched */
  FusedMatMul: { readonly transA?: boolean; readonly transB?: boolean; readonly alpha?: number };
  Gemm: { readonly transA?: boolean; readonly transB?: boolean; readonly alpha?: number; readonly beta?: number };
  // products of bytes
  /** Ours: x · weightᵀ + bias, of the bytes of x (one scale) and weight (a scale a row); see lower-int8.ts */
  Int8Gemm: None;
  /** Ours: grad · weight, of the bytes of grad (a scale a row) and weight (a scale a column) */
  Int8GemmInput: None;
  /** Ours: gradᵀ · x, of the bytes of grad (a scale a column) and x (one scale) */
  Int8GemmWeight: None;
  /** Ours: x with each row (the last axis) as bytes have it, a scale a row */
  RoundRows: None;
  DynamicQuantizeLinear: None;
  QuantizeLinear: Axis;
  /** onnxruntime's product of bytes; inputs a, b, a's scale, b's scale, a's zero point, b's, bias */
  MatMulIntegerToFloat: None;
  // reductions
  ReduceSum: Reduction;
  ReduceMean: Reduction;
  ReduceMax: Reduction;
  ReduceMin: Reduction;
  /** Sums of the elements up to and with each; `reverse` from the end. */
  CumSum: { readonly axis: number; readonly reverse?: boolean };
  // normalisation
  Softmax: Axis;
  LogSoftmax: Axis;
  LayerNormalization: { readonly axis: number; readonly epsilon: number };
  /** onnxruntime's root-mean-square norm */
  SimplifiedLayerNormalization: { readonly axis: number; readonly epsilon: number };
  // positions
  /** onnxruntime's rotation of the pairs (d, d + D/2) by angles of a table */
  RotaryEmbedding: None;
  // for use alone, without a gradient
  /** onnxruntime's attention over (B, T, H·D) queries, keys and values */
  MultiHeadAttention: { readonly heads: number; readonly scale: number };
  // layout
  Reshape: { readonly shape: readonly Dim[] };
  Transpose: { readonly perm: readonly number[] };
  Expand: { readonly shape: readonly Dim[] };
  Concat: Axis;
  Split: { readonly axis: number; readonly sizes: readonly number[] };
  Slice: { readonly axes: readonly number[]; readonly starts: readonly Dim[]; readonly ends: readonly Dim[] };
  /** Zeros around; `before` and `after` have one entry per axis. */
  Pad: { readonly before: readonly Dim[]; readonly after: readonly Dim[] };
  // indexing
  Gather: Axis;
  GatherElements: Axis;
  ScatterElements: { readonly axis: number; readonly reduction: 'add' };
  /** `data` with `updates` added at `indices`, whose last axis is a coordinate */
  ScatterND: { readonly reduction: 'add' };
  ConstantOfShape: { readonly shape: readonly Dim[] };
  /** int64 start, start + 1, … limit - 1 */
  Range: { readonly start: Dim; readonly limit: Dim };
  Size: None;
  Shape: None;
  /** Reshape to a shape that is itself a value; the result keeps the input's shape. Orders one part after another. */
  ReshapeTo: None;
}

export type OpType = keyof OpAttributes;
