/** Element-wise operations. Gradients may have the broadcast shape; the walker sums them back. */
import { ShapeError } from '../../errors.ts';
import { dataTypeCodes } from '../../onnx/data-types.ts';
import { bytesPerElement, type DataType } from '../../onnx/model.ts';
import { broadcastShapes } from '../dims.ts';
import { scalarOf, type Value, type ValueType } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import { add, cast, cos, div, erf, exp, greater, identity, mul, neg, pow, sigmoid, sin, sub, where } from '../ops.ts';
import { expectDtype, isFloat, none, type OpTable, type } from '../rule.ts';

const numeric: readonly DataType[] = ['float32', 'float16', 'float64', 'int32', 'int64'];
const anyType = Object.keys(bytesPerElement) as DataType[];

/** The type of the one input, which must be one of `dtypes`. */
const same =
  (op: OpType, dtypes: readonly DataType[] = ['float32']) =>
  ([x]: readonly Value[]): ValueType[] => {
    expectDtype(op, x!, ...dtypes);
    return [type(x!.dtype, x!.dims)];
  };

const broadcast =
  (op: OpType, dtypes = numeric) =>
  ([a, b]: readonly Value[]): ValueType[] => {
    expectDtype(op, a!, ...dtypes);
    expectSameDtype(op, a!, b!);
    return [type(a!.dtype, broadcastShapes(op, a!.dims, b!.dims))];
  };

function expectSameDtype(op: OpType, a: Value, b: Value): void {
  if (a.dtype !== b.dtype) throw new ShapeError(`${op}: element types differ, ${a.dtype} and ${b.dtype}.`);
}

const compare =
  (op: OpType, dtypes = numeric) =>
  (inputs: readonly Value[]): ValueType[] => [type('bool', broadcast(op, dtypes)(inputs)[0]!.dims)];

// Gelu'(x) = Φ(x) + x·φ(x) = ½·[1 + erf(u) + u·exp(ln(2/√π) - u²)] with u = x/√2: the constants of φ sit in the exponent,
// where they cost no pass of their own.
const LOG_2_OVER_SQRT_PI = Math.log(2 / Math.sqrt(Math.PI));

export const elementwise = {
  Neg: { infer: same('Neg', numeric), gradient: ({ grad }) => [neg(grad)] },
  Abs: {
    infer: same('Abs', numeric),
    gradient: ({ grad, inputs: [x], output }) => [mul(grad, where(greater(output, 0), div(x!, output), 0))],
  },
  Exp: { infer: same('Exp'), gradient: ({ grad, output }) => [mul(grad, output)] },
  Log: { infer: same('Log'), gradient: ({ grad, inputs: [x] }) => [div(grad, x!)] },
  Sqrt: { infer: same('Sqrt'), gradient: ({ grad, output }) => [div(mul(grad, 0.5), output)] },
  Reciprocal: { infer: same('Reciprocal'), gradient: ({ grad, output }) => [neg(mul(grad, mul(output, output)))] },
  Erf: {
    infer: same('Erf'), // erf'(x) = exp(ln(2/√π) - x²)
    gradient: ({ grad, inputs: [x] }) => [mul(grad, exp(sub(LOG_2_OVER_SQRT_PI, mul(x!, x!))))],
  },
  Tanh: { infer: same('Tanh'), gradient: ({ grad, output }) => [mul(grad, sub(1, mul(output, output)))] },
  Sigmoid: { infer: same('Sigmoid'), gradient: ({ grad, output }) => [mul(grad, mul(output, sub(1, output)))] },
  // at 0 the gradient is 0, as PyTorch has it
  Relu: { infer: same('Relu'), gradient: ({ grad, output }) => [mul(grad, cast(greater(output, 0), 'float32'))] },
  Sin: { infer: same('Sin'), gradient: ({ grad, inputs: [x] }) => [mul(grad, cos(x!))] },
  Cos: { infer: same('Cos'), gradient: ({ grad, inputs: [x] }) => [neg(mul(grad, sin(x!)))] },
  Softplus: { infer: same('Softplus'), gradient: ({ grad, inputs: [x] }) => [mul(grad, sigmoid(x!))] },
  Gelu: {
    domain: 'com.microsoft',
    infer: same('Gelu'),
    gradient: ({ grad, inputs: [x] }) => {
      const u = mul(x!, Math.SQRT1_2);
      const density = mul(u, exp(sub(LOG_2_OVER_SQRT_PI, mul(u, u))));
      return [mul(mul(grad, 0.5), add(add(erf(u), 1), density))];
    },
  },
  Ceil: { infer: same('Ceil'), gradient: none },
  Identity: { infer: same('Identity', anyType), gradient: ({ grad }) => [identity(grad)] },
  Not: { infer: same('Not', ['bool']), gradient: none },
  Cast: {
    infer: ([x], { to }) => [type(to, x!.dims)],
    onnx: ({ to }) => ({ attributes: { to: dataTypeCodes[to] } }),
    gradient: ({ grad, inputs: [x] }) => [isFloat(x!) ? cast(grad, x!.dtype) : null],
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
      if (power === 0) return [null, null];
      if (power === null) throw new ShapeError('Pow: only a constant scalar exponent has a gradient.');
      return [mul(grad, mul(power === 2 ? x! : pow(x!, power - 1), power)), null];
    },
  },
  Equal: { infer: compare('Equal', anyType), gradient: none },
  Less: { infer: compare('Less'), gradient: none },
  Greater: { infer: compare('Greater'), gradient: none },
  And: { infer: broadcast('And', ['bool']), gradient: none },
  Where: {
    infer: ([condition, a, b]) => {
      expectDtype('Where', condition!, 'bool');
      expectSameDtype('Where', a!, b!);
      return [type(a!.dtype, broadcastShapes('Where', condition!.dims, a!.dims, b!.dims))];
    },
    gradient: ({ grad, inputs: [condition] }) => [null, where(condition!, grad, 0), where(condition!, 0, grad)],
  },
} satisfies Partial<OpTable>;
