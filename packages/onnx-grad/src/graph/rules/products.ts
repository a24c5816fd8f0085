/** Matrix products. */
import { ShapeError } from '../../errors.ts';
import type { Dim } from '../../onnx/model.ts';
import { broadcastShapes, formatShape, sameShape } from '../dims.ts';
import type { Value, ValueType } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import { flatten2d, fusedMatMul, gemm, mul } from '../ops.ts';
import { expectDtype, type OpTable, type } from '../rule.ts';

type Transposes = { readonly transA?: boolean; readonly transB?: boolean };

/** (M, K) x (K, N) after the transposes, for the last two axes. */
function productDims(op: OpType, a: Value, b: Value, { transA, transB }: Transposes): [Dim, Dim] {
  const shapes = `${formatShape(a.dims)} x ${formatShape(b.dims)}`;
  if (a.dims.length < 2 || b.dims.length < 2) throw new ShapeError(`${op}: expected matrices, got ${shapes}.`);
  const [rows, inner] = transA ? [a.dims.at(-1)!, a.dims.at(-2)!] : [a.dims.at(-2)!, a.dims.at(-1)!];
  const [innerB, columns] = transB ? [b.dims.at(-1)!, b.dims.at(-2)!] : [b.dims.at(-2)!, b.dims.at(-1)!];
  if (inner !== innerB) {
    throw new ShapeError(`${op}: inner sizes differ, ${shapes}: ${inner} and ${innerB}.`);
  }
  for (const factor of [a, b]) expectDtype(op, factor, 'float32');
  return [rows, columns];
}

function batched(op: OpType, [a, b]: readonly Value[], transposes: Transposes): ValueType[] {
  const [rows, columns] = productDims(op, a!, b!, transposes);
  return [type('float32', [...broadcastShapes(op, a!.dims.slice(0, -2), b!.dims.slice(0, -2)), rows, columns])];
}

function batchedGradient(
  a: Value,
  b: Value,
  grad: Value,
  { transA, transB, alpha = 1 }: Transposes & { alpha?: number },
) {
  // Y = αAB: dA = αdY·Bᵀ, dB = αAᵀ·dY; a transposed operand's gradient is the transpose, got by swapping the factors.
  const gradA = transA
    ? fusedMatMul(b, grad, { transA: transB ?? false, transB: true, alpha })
    : fusedMatMul(grad, b, { transB: !transB, alpha });
  if (b.dims.length === 2 && a.dims.length > 2 && !transA) {
    const [x, dY] = [flatten2d(a), flatten2d(grad)]; // one product over all leading axes instead of a sum of many
    return [gradA, transB ? gemm(dY, x, null, { transA: true, alpha }) : gemm(x, dY, null, { transA: true, alpha })];
  }
  const gradB = transB
    ? fusedMatMul(grad, a, { transA: true, transB: transA ?? false, alpha })
    : fusedMatMul(a, grad, { transA: !transA, alpha });
  return [gradA, gradB];
}

const flags = ({ transA = false, transB = false }: Transposes) => ({ transA: Number(transA), transB: Number(transB) });

export const products = {
  MatMul: {
    infer: (inputs) => batched('MatMul', inputs, {}),
    gradient: ({ grad, inputs: [a, b] }) => batchedGradient(a!, b!, grad, {}),
  },
  FusedMatMul: {
    domain: 'com.microsoft',
    infer: (inputs, attributes) => batched('FusedMatMul', inputs, attributes),
    onnx: (attributes) => ({ attributes: { ...flags(attributes), alpha: { float: attributes.alpha ?? 1 } } }),
    gradient: ({ grad, inputs: [a, b], attributes }) => batchedGradient(a!, b!, grad, attributes),
  },
  Gemm: {
    infer: ([a, b, c], attributes) => {
      if (a!.dims.length !== 2 || b!.dims.length !== 2) {
        throw new ShapeError(`Gemm: expected two matrices, got ${formatShape(a!.dims)} x ${formatShape(b!.dims)}.`);
      }
      const dims = productDims('Gemm', a!, b!, attributes);
      if (c) {
        expectDtype('Gemm', c, 'float32');
        if (!sameShape(broadcastShapes('Gemm', c.dims, dims), dims)) {
          throw new ShapeError(`Gemm: ${formatShape(c.dims)} does not broadcast to ${formatShape(dims)}.`);
        }
      }
      return [type('float32', dims)];
    },
    onnx: (attributes) => ({
      attributes: {
        ...flags(attributes),
        alpha: { float: attributes.alpha ?? 1 },
        beta: { float: attributes.beta ?? 1 },
      },
    }),
    gradient: ({ grad, inputs: [a, b, c], attributes: { transA, transB, alpha = 1, beta = 1 } }) => {
      const gradA = transA
        ? gemm(b!, grad, null, { transA: transB ?? false, transB: true, alpha })
        : gemm(grad, b!, null, { transB: !transB, alpha });
      const gradB = transB
        ? gemm(grad, a!, null, { transA: true, transB: transA ?? false, alpha })
        : gemm(a!, grad, null, { transA: !transA, alpha });
      const gradC = c ? (beta === 1 ? grad : mul(grad, beta)) : null;
      return c ? [gradA, gradB, gradC] : [gradA, gradB];
    },
  },
} satisfies Partial<OpTable>;
