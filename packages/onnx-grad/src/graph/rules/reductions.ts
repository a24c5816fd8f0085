/** Sums, means and the normalisations built on them. */
import { ShapeError } from '../../errors.ts';
import type { Dim } from '../../onnx/model.ts';
import { formatShape, mulDims, normalizeAxis, sameShape } from '../dims.ts';
import type { Value, ValueType } from '../graph.ts';
import { add, cast, div, equal, exp, expand, mul, reciprocal, reduceMean, reduceSum, reshape, sqrt, sub } from '../ops.ts';
import { type PartialTable, type } from '../rule.ts';

type Reduction = { readonly axes: readonly number[]; readonly keepdims?: boolean };

const reduce =
  (op: string) =>
  ([x]: readonly Value[], { axes, keepdims = false }: Reduction): ValueType[] => {
    const reduced = new Set(axes.map((axis) => normalizeAxis(op, axis, x!.dims.length)));
    const dims = x!.dims.flatMap((dim, axis) => (reduced.has(axis) ? (keepdims ? [1] : []) : [dim]));
    return [type(x!.dtype, dims)];
  };

const withAxes = ({ axes, keepdims = false }: Reduction) => ({
  attributes: { keepdims: Number(keepdims) },
  trailing: [{ integers: axes }],
});

/** `reduced` with its summed axes back as size 1, so that it broadcasts against `x`. */
function restoreAxes(reduced: Value, x: Value, { axes, keepdims }: Reduction): Value {
  if (keepdims) return reduced;
  const summed = new Set(axes.map((axis) => normalizeAxis('reduction', axis, x.dims.length)));
  return reshape(reduced, x.dims.map((dim, axis) => (summed.has(axis) ? 1 : dim)));
}

/** How many elements go into one. @throws ShapeError when a named dimension is averaged over. */
function countOf(x: Value, axes: readonly number[]): number {
  const count = axes.map((axis) => x.dims.at(axis)!).reduce<Dim>(mulDims, 1);
  if (typeof count !== 'number') {
    throw new ShapeError(`ReduceMean: no gradient over a named dimension (${count}). Divide a ReduceSum instead.`);
  }
  return count;
}

const sameLastAxis =
  (op: string) =>
  ([x]: readonly Value[], { axis }: { axis: number }): ValueType[] => {
    normalizeAxis(op, axis, x!.dims.length);
    return [type(x!.dtype, x!.dims)];
  };

function normalised(op: string, inputs: readonly Value[], axis: number): readonly Dim[] {
  const [x, ...affine] = inputs as [Value, ...Value[]];
  if (normalizeAxis(op, axis, x.dims.length) !== x.dims.length - 1) {
    throw new ShapeError(`${op}: only the last axis is supported, got ${axis} of ${formatShape(x.dims)}.`);
  }
  for (const value of affine) {
    if (!sameShape(value.dims, x.dims.slice(-1))) {
      throw new ShapeError(`${op}: scale and bias must be (${x.dims.at(-1)}), got ${formatShape(value.dims)}.`);
    }
  }
  return [...x.dims.slice(0, -1), 1];
}

const lastAxis = { axes: [-1], keepdims: true };

export const reductions: PartialTable<
  'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'Softmax' | 'LogSoftmax' | 'LayerNormalization' | 'SimplifiedLayerNormalization'
> = {
  ReduceSum: {
    infer: reduce('ReduceSum'),
    onnx: withAxes,
    gradient: ({ grad, inputs: [x], attributes }) => [expand(restoreAxes(grad, x!, attributes), x!.dims)],
  },
  ReduceMean: {
    infer: reduce('ReduceMean'),
    onnx: withAxes,
    gradient: ({ grad, inputs: [x], attributes }) => [
      expand(mul(restoreAxes(grad, x!, attributes), 1 / countOf(x!, attributes.axes)), x!.dims),
    ],
  },
  ReduceMax: {
    infer: reduce('ReduceMax'),
    onnx: withAxes,
    // ties share the gradient equally, as torch.amax has it
    gradient: ({ grad, inputs: [x], output, attributes }) => {
      const isMax = cast(equal(x!, restoreAxes(output, x!, attributes)), 'float32');
      const ties = reduceSum(isMax, { axes: attributes.axes, keepdims: true });
      return [mul(isMax, div(restoreAxes(grad, x!, attributes), ties))];
    },
  },
  Softmax: {
    infer: sameLastAxis('Softmax'),
    gradient: ({ grad, output, attributes: { axis } }) => [
      mul(output, sub(grad, reduceSum(mul(grad, output), { axes: [axis], keepdims: true }))),
    ],
  },
  LogSoftmax: {
    infer: sameLastAxis('LogSoftmax'),
    gradient: ({ grad, output, attributes: { axis } }) => [
      sub(grad, mul(exp(output), reduceSum(grad, { axes: [axis], keepdims: true }))),
    ],
  },
  LayerNormalization: {
    infer: (inputs, { axis }) => {
      const statistics = normalised('LayerNormalization', inputs, axis);
      return [type('float32', inputs[0]!.dims), type('float32', statistics), type('float32', statistics)];
    },
    onnx: ({ axis, epsilon }) => ({ attributes: { axis, epsilon: { float: epsilon } } }),
    // x̂ = (x - μ)·r:  dx = r·(g - mean(g) - x̂·mean(g∘x̂)),  g = dy∘γ;  dγ = Σ dy∘x̂,  dβ = Σ dy
    gradient: ({ grad, inputs: [x, scale], outputs: [, mean, inverseDeviation] }) => {
      const unit = mul(sub(x!, mean!), inverseDeviation!);
      const product = mul(grad, unit);
      const scaled = mul(grad, scale!);
      const projection = reduceMean(mul(product, scale!), lastAxis);
      const centred = sub(scaled, reduceMean(scaled, lastAxis));
      return [mul(inverseDeviation!, sub(centred, mul(unit, projection))), product, grad];
    },
  },
  SimplifiedLayerNormalization: {
    infer: (inputs, { axis }) => {
      normalised('SimplifiedLayerNormalization', inputs, axis);
      return [type('float32', inputs[0]!.dims)];
    },
    onnx: ({ axis, epsilon }) => ({ attributes: { axis, epsilon: { float: epsilon } } }),
    // r = 1/sqrt(mean(x²)+ε), x̂ = x·r:  dx = r·(g - x̂·mean(g∘x̂)),  g = dy∘γ;  dγ = Σ dy∘x̂
    gradient: ({ grad, inputs: [x, scale], attributes: { epsilon } }) => {
      const inverse = reciprocal(sqrt(add(reduceMean(mul(x!, x!), lastAxis), epsilon)));
      const unit = mul(x!, inverse);
      const product = mul(grad, unit);
      const projection = reduceMean(mul(product, scale!), lastAxis);
      return [mul(inverse, sub(mul(grad, scale!), mul(unit, projection))), product];
    },
  },
};
