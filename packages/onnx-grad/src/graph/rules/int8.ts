/**
 * Matrix products of bytes. Those named Int8 are ours: they read float32 matrices and give what the product of their
 * bytes gives, and `lowerInt8` writes them with the others, which are onnxruntime's.
 */
import { ShapeError } from '../../errors.ts';
import { formatShape } from '../dims.ts';
import { expectType, type Value, type ValueType } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import { int8GemmInput, int8GemmWeight } from '../ops.ts';
import { expectDtype, type GradientRule, type OpTable, type } from '../rule.ts';

/** (M, K) of a and (K, N) of b, after the transposes. */
function productType(op: OpType, a: Value, b: Value, { transA = false, transB = false } = {}): ValueType[] {
  const shapes = `${formatShape(a.dims)} x ${formatShape(b.dims)}`;
  if (a.dims.length !== 2 || b.dims.length !== 2) throw new ShapeError(`${op}: expected two matrices, got ${shapes}.`);
  const [rows, inner] = transA ? a.dims.toReversed() : a.dims;
  const [innerB, columns] = transB ? b.dims.toReversed() : b.dims;
  if (inner !== innerB) throw new ShapeError(`${op}: inner sizes differ, ${shapes}: ${inner} and ${innerB}.`);
  return [type('float32', [rows!, columns!])];
}

function expectVector(op: OpType, value: Value | undefined, size: Value['dims'][number]): void {
  if (!value || (value.dims.length === 1 && value.dims[0] === size)) return;
  throw new ShapeError(`${op}: expected a vector of ${size}, got ${formatShape(value.dims)}.`);
}

/** Of bytes nothing flows back; those of training are made after the backward pass is there. */
const unreachable: GradientRule<OpType> = ({ node }) => {
  throw new ShapeError(`${node.op}: it has no gradient. Differentiate the graph before lowerInt8.`);
};

export const int8 = {
  Int8Gemm: {
    infer: ([x, weight, bias]) => {
      for (const value of [x!, weight!, ...(bias ? [bias] : [])]) expectDtype('Int8Gemm', value, 'float32');
      expectVector('Int8Gemm', bias, weight!.dims[0]!);
      return productType('Int8Gemm', x!, weight!, { transB: true });
    },
    // The bytes are taken for the floats they stand for, as if rounding were no step (straight-through estimator).
    gradient: ({ grad, inputs: [x, weight, bias] }) => [
      int8GemmInput(grad, weight!),
      int8GemmWeight(grad, x!, weight!),
      ...(bias ? [grad] : []),
    ],
  },
  Int8GemmInput: {
    infer: ([grad, weight]) => {
      for (const value of [grad!, weight!]) expectDtype('Int8GemmInput', value, 'float32');
      return productType('Int8GemmInput', grad!, weight!);
    },
    gradient: unreachable,
  },
  Int8GemmWeight: {
    infer: ([grad, x, weight]) => {
      for (const value of [grad!, x!]) expectDtype('Int8GemmWeight', value, 'float32');
      const [found] = productType('Int8GemmWeight', grad!, x!, { transA: true }) as [ValueType];
      expectType('Int8GemmWeight', weight!, 'float32', found.dims);
      return [found];
    },
    gradient: unreachable,
  },
  RoundRows: {
    infer: ([x]) => {
      expectDtype('RoundRows', x!, 'float32');
      return [type('float32', x!.dims)];
    },
    gradient: ({ grad }) => [grad],
  },
  DynamicQuantizeLinear: {
    infer: ([x]) => {
      expectDtype('DynamicQuantizeLinear', x!, 'float32');
      return [type('uint8', x!.dims), type('float32', []), type('uint8', [])];
    },
    gradient: unreachable,
  },
  QuantizeLinear: {
    infer: ([x, scale, zeroPoint], { axis }) => {
      expectDtype('QuantizeLinear', x!, 'float32');
      expectDtype('QuantizeLinear', zeroPoint!, 'uint8', 'int8');
      for (const value of [scale!, zeroPoint!]) {
        if (value.dims.length > 0) expectVector('QuantizeLinear', value, x!.dims.at(axis)!);
      }
      return [type(zeroPoint!.dtype, x!.dims)];
    },
    gradient: unreachable,
  },
  MatMulIntegerToFloat: {
    domain: 'com.microsoft',
    infer: ([a, b, , , , , bias]) => {
      expectDtype('MatMulIntegerToFloat', a!, 'uint8');
      expectDtype('MatMulIntegerToFloat', b!, 'int8');
      expectVector('MatMulIntegerToFloat', bias, b!.dims[1]!);
      return productType('MatMulIntegerToFloat', a!, b!);
    },
    gradient: unreachable,
  },
} satisfies Partial<OpTable>;
