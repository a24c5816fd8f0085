/** Element-wise operations. Gradients may have the broadcast shape; the walker sums them back. */
import { ShapeError } from '../../errors.ts';
import { broadcastShapes } from '../dims.ts';
import { scalarOf, type Value, type ValueType } from '../graph.ts';
import {
  add,
  cast,
  cos,
  div,
  erf,
  exp,
  greater,
  identity,
  mul,
  neg,
  pow,
  sigmoid,
  sin,
  sub,
  where,
} from '../ops.ts';
import { none, type PartialTable, type } from '../rule.ts';

const same = ([x]: readonly Value[]): ValueType[] => [type(x!.dtype, x!.dims)];

const broadcast = (op: string) => (inputs: readonly Value[]): ValueType[] => {
  const [a, b] = inputs as [Value, Value];
  if (a.dtype !== b.dtype) throw new ShapeError(`${op}: element types differ, ${a.dtype} and ${b.dtype}.`);
  return [type(a.dtype, broadcastShapes(op, a.dims, b.dims))];
};

const compare = (op: string) => (inputs: readonly Value[]): ValueType[] => [
  type('bool', broadcast(op)(inputs)[0]!.dims),
];

// Gelu'(x) = Φ(x) + x·φ(x) = ½·[1 + erf(u) + u·exp(ln(2/√π) - u²)] with u = x/√2: the constants of φ sit in the exponent,
// where they cost no pass of their own.
const LOG_2_OVER_SQRT_PI = Math.log(2 / Math.sqrt(Math.PI));

export const elementwise: PartialTable<
  | 'Neg' | 'Abs' | 'Exp' | 'Log' | 'Sqrt' | 'Reciprocal' | 'Erf' | 'Tanh' | 'Sigmoid' | 'Relu' | 'Sin' | 'Cos'
  | 'Softplus' | 'Ceil' | 'Gelu' | 'Identity' | 'Not' | 'Cast' | 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Equal' | 'Less'
  | 'Greater' | 'And' | 'Where'
> = {
  Neg: { infer: same, gradient: ({ grad }) => [neg(grad)] },
  Abs: {
    infer: same,
    gradient: ({ grad, inputs: [x], output }) => [mul(grad, where(greater(output, 0), div(x!, output), 0))],
  },
  Exp: { infer: same, gradient: ({ grad, output }) => [mul(grad, output)] },
  Log: { infer: same, gradient: ({ grad, inputs: [x] }) => [div(grad, x!)] },
  Sqrt: { infer: same, gradient: ({ grad, output }) => [div(mul(grad, 0.5), output)] },
  Reciprocal: { infer: same, gradient: ({ grad, output }) => [neg(mul(grad, mul(output, output)))] },
  Erf: {
    infer: same, // erf'(x) = exp(ln(2/√π) - x²)
    gradient: ({ grad, inputs: [x] }) => [mul(grad, exp(sub(LOG_2_OVER_SQRT_PI, mul(x!, x!))))],
  },
  Tanh: { infer: same, gradient: ({ grad, output }) => [mul(grad, sub(1, mul(output, output)))] },
  Sigmoid: { infer: same, gradient: ({ grad, output }) => [mul(grad, mul(output, sub(1, output)))] },
  // at 0 the gradient is 0, as PyTorch has it
  Relu: { infer: same, gradient: ({ grad, output }) => [mul(grad, cast(greater(output, 0), 'float32'))] },
  Sin: { infer: same, gradient: ({ grad, inputs: [x] }) => [mul(grad, cos(x!))] },
  Cos: { infer: same, gradient: ({ grad, inputs: [x] }) => [neg(mul(grad, sin(x!)))] },
  Softplus: { infer: same, gradient: ({ grad, inputs: [x] }) => [mul(grad, sigmoid(x!))] },
  Gelu: {
    domain: 'com.microsoft',
    infer: same,
    gradient: ({ grad, inputs: [x] }) => {
      const u = mul(x!, Math.SQRT1_2);
      const density = mul(u, exp(sub(LOG_2_OVER_SQRT_PI, mul(u, u))));
      return [mul(mul(grad, 0.5), add(add(erf(u), 1), density))];
    },
  },
  Ceil: { infer: same, gradient: none },
  Identity: { infer: same, gradient: ({ grad }) => [identity(grad)] },
  Not: { infer: same, gradient: none },
  Cast: {
    infer: ([x], { to }) => [type(to, x!.dims)],
    onnx: ({ to }) => ({ attributes: { to: onnxTypeCode[to] } }),
    gradient: ({ grad, inputs: [x] }) => [x!.dtype === 'float32' ? cast(grad, 'float32') : null],
  },
  Add: { infer: broadcast('Add'), gradient: ({ grad }) => [grad, grad] },
  Sub: { infer: broadcast('Sub'), gradient: ({ grad }) => [grad, neg(grad)] },
  Mul: { infer: broadcast('Mul'), gradient: ({ grad, inputs: [a, b] }) => [mul(grad, b!), mul(grad, a!)] },
  Div: {
    infer: broadcast('Div'),
    gradient: ({ grad, inputs: [, b], output }) => [div(grad, b!), neg(mul(grad, div(output, b!)))],
  },
  Pow: {
    infer: broadcast('Pow'),
    gradient: ({ grad, inputs: [x, exponent] }) => {
      const power = scalarOf(exponent);
      if (power === null) throw new ShapeError('Pow: only a constant scalar exponent has a gradient.');
      return [mul(grad, mul(power === 2 ? x! : pow(x!, power - 1), power)), null];
    },
  },
  Equal: { infer: compare('Equal'), gradient: none },
  Less: { infer: compare('Less'), gradient: none },
  Greater: { infer: compare('Greater'), gradient: none },
  And: { infer: broadcast('And'), gradient: none },
  Where: {
    infer: ([condition, a, b]) => {
      if (a!.dtype !== b!.dtype) throw new ShapeError(`Where: element types differ, ${a!.dtype} and ${b!.dtype}.`);
      return [type(a!.dtype, broadcastShapes('Where', condition!.dims, a!.dims, b!.dims))];
    },
    gradient: ({ grad, inputs: [condition] }) => [null, where(condition!, grad, 0), where(condition!, 0, grad)],
  },
};

/** TensorProto.DataType. */
export const onnxTypeCode = {
  float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, uint32: 12,
} as const;

