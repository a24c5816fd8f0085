/** Sums, means and the normalisations built on them. */
import { ShapeError } from '../../errors.ts';
import type { DataType, Dim } from '../../onnx/model.ts';
import { formatShape, normalizeAxis, productOf, sameShape } from '../dims.ts';
import type { Value, ValueType } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import {
  add,
  cast,
  cumSum,
  div,
  equal,
  exp,
  expand,
  mul,
  reciprocal,
  reduceMean,
  reduceSum,
  reshape,
  size,
  sqrt,
  sub,
} from '../ops.ts';
import { expectDtype, type GradientContext, type OpTable, type } from '../rule.ts';

type Reduction = { readonly axes: readonly number[]; readonly keepdims?: boolean };

const reduce =
  (op: OpType, ...dtypes: DataType[]) =>
  ([x]: readonly Value[], { axes, keepdims = false }: Reduction): ValueType[] => {
    expectDtype(op, x!, ...dtypes);
    const reduced = new Set(axes.map((axis) => normalizeAxis(op, axis, x!.dims.length)));
    if (reduced.size < axes.length) throw new ShapeError(`${op}: axes ${formatShape(axes)} name an axis twice.`);
    const dims = x!.dims.flatMap((dim, axis) => (reduced.has(axis) ? (keepdims ? [1] : []) : [dim]));
    return [type(x!.dtype, dims)];
  };

const withAxes = ({ axes, keepdims = false }: Reduction) => ({
  attributes: { keepdims: Number(keepdims), noop_with_empty_axes: 1 }, // no axes: no sum, not the sum of all
  trailing: [{ integers: axes }],
});

/** `reduced` with its summed axes back as size 1, so that it broadcasts against `x`. */
function restoreAxes(reduced: Value, x: Value, { axes, keepdims }: Reduction): Value {
  if (keepdims) return reduced;
  const summed = new Set(axes.map((axis) => normalizeAxis('reduction', axis, x.dims.length)));
  return reshape(
    reduced,
    x.dims.map((dim, axis) => (summed.has(axis) ? 1 : dim)),
  );
}

/** 1 / how many elements go into one mean; worked out when the graph runs if a named dimension is averaged over. */
function inverseCount(x: Value, mean: Value, axes: readonly number[]): Value | number {
  const count = productOf(axes.map((axis) => x.dims.at(axis)!));
  return typeof count === 'number' ? 1 / count : div(cast(size(mean), 'float32'), cast(size(x), 'float32'));
}

const alongAxis =
  (op: OpType) =>
  ([x]: readonly Value[], { axis }: { axis: number }): ValueType[] => {
    expectDtype(op, x!, 'float32');
    normalizeAxis(op, axis, x!.dims.length);
    return [type(x!.dtype, x!.dims)];
  };

function normalised(op: OpType, inputs: readonly Value[], axis: number): readonly Dim[] {
  const [x, ...affine] = inputs as [Value, ...Value[]];
  for (const value of inputs) expectDtype(op, value, 'float32');
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

/** To the elements that the result is one of; ties share the gradient equally, as torch.amax has it. */
function toExtremes({ grad, inputs: [x], output, attributes }: GradientContext<'ReduceMax' | 'ReduceMin'>): Value[] {
  const isExtreme = cast(equal(x!, restoreAxes(output, x!, attributes)), 'float32');
  const ties = reduceSum(isExtreme, { axes: attributes.axes, keepdims: true });
  return [mul(isExtreme, div(restoreAxes(grad, x!, attributes), ties))];
}

export const reductions = {
  ReduceSum: {
    infer: reduce('ReduceSum', 'float32', 'int32', 'int64'),
    onnx: withAxes,
    gradient: ({ grad, inputs: [x], attributes }) => [expand(restoreAxes(grad, x!, attributes), x!.dims)],
  },
  ReduceMean: {
    infer: reduce('ReduceMean', 'float32'),
    onnx: withAxes,
    gradient: ({ grad, inputs: [x], output, attributes }) => {
      const share = mul(grad, inverseCount(x!, output, attributes.axes));
      return [expand(restoreAxes(share, x!, attributes), x!.dims)];
    },
  },
  ReduceMax: {
    infer: reduce('ReduceMax', 'float32', 'int32', 'int64'),
    onnx: withAxes,
    gradient: toExtremes,
  },
  ReduceMin: {
    infer: reduce('ReduceMin', 'float32', 'int32', 'int64'),
    onnx: withAxes,
    gradient: toExtremes,
  },
  CumSum: {
    infer: ([x], { axis }) => {
      expectDtype('CumSum', x!, 'float32', 'int32', 'int64');
      normalizeAxis('CumSum', axis, x!.dims.length);
      return [type(x!.dtype, x!.dims)];
    },
    onnx: ({ axis, reverse = false }) => ({ attributes: { reverse: Number(reverse) }, trailing: [{ integer: axis }] }),
    // each element is in the sums from its own on: their gradients add up from the other end
    gradient: ({ grad, attributes: { axis, reverse = false } }) => [cumSum(grad, { axis, reverse: !reverse })],
  },
  Softmax: {
    infer: alongAxis('Softmax'),
    gradient: ({ grad, output, attributes: { axis } }) => [
      mul(output, sub(grad, reduceSum(mul(grad, output), { axes: [axis], keepdims: true }))),
    ],
  },
  LogSoftmax: {
    infer: alongAxis('LogSoftmax'),
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
} satisfies Partial<OpTable>;
