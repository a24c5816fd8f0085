/** Operations that move elements without changing them. */
import { ShapeError } from '../../errors.ts';
import type { Dim } from '../../onnx/model.ts';
import { addDims, divideDims, formatShape, normalizeAxis, productOf, sameShape, subDims } from '../dims.ts';
import { expectType, type Value } from '../graph.ts';
import { concat, pad, reshape, slice, transpose, zeros } from '../ops.ts';
import { none, type OpTable, type } from '../rule.ts';

/** The shape with its -1, if any, worked out. @throws ShapeError when the sizes do not multiply to the input's. */
function resolveShape(x: Value, shape: readonly Dim[]): Dim[] {
  const known = productOf(shape.filter((dim) => dim !== -1));
  const unknown = shape.filter((dim) => dim === -1).length;
  const rest = unknown === 1 ? divideDims(productOf(x.dims), known) : 1;
  const resolved = shape.map((dim) => (dim === -1 ? rest! : dim));
  if (unknown > 1 || rest === null || productOf(resolved) !== productOf(x.dims)) {
    throw new ShapeError(`Reshape: ${formatShape(x.dims)} does not fit into ${formatShape(shape)}.`);
  }
  return resolved;
}

function inverseOf(perm: readonly number[]): number[] {
  const inverse: number[] = [];
  perm.forEach((axis, position) => {
    inverse[axis] = position;
  });
  return inverse;
}

/** The parts of `grad` along `axis`, one for each of `values`. */
function parts(grad: Value, values: readonly Value[], axis: number): Value[] {
  let start: Dim = 0;
  return values.map((value) => {
    const end = addDims(start, value.dims.at(axis)!);
    const part = slice(grad, { axis, start, end });
    start = end;
    return part;
  });
}

function isNegative(dim: Dim): boolean {
  return typeof dim === 'number' && dim < 0;
}

export const layout = {
  Reshape: {
    infer: ([x], { shape }) => [type(x!.dtype, resolveShape(x!, shape))],
    onnx: ({ shape }, [x]) => {
      const integers = resolveShape(x!, shape);
      // where a size is or may be 0: without allowzero it would copy one, and -1 cannot be inferred
      const mayBeEmpty = integers.some((dim) => dim === 0 || (typeof dim === 'string' && dim.includes('>')));
      return { attributes: mayBeEmpty ? { allowzero: 1 } : {}, trailing: [{ integers, mayInfer: !mayBeEmpty }] };
    },
    gradient: ({ grad, inputs: [x] }) => [reshape(grad, x!.dims)],
  },
  ReshapeTo: {
    infer: ([x, shape]) => {
      expectType('ReshapeTo: the shape', shape!, 'int64', [x!.dims.length]);
      return [type(x!.dtype, x!.dims)];
    },
    gradient: ({ grad }) => [grad, null],
  },
  Transpose: {
    infer: ([x], { perm }) => {
      if (perm.length !== x!.dims.length || !x!.dims.every((_, axis) => perm.includes(axis))) {
        throw new ShapeError(`Transpose: perm ${formatShape(perm)} does not order ${formatShape(x!.dims)}.`);
      }
      return [
        type(
          x!.dtype,
          perm.map((axis) => x!.dims[axis]!),
        ),
      ];
    },
    gradient: ({ grad, attributes: { perm } }) => [transpose(grad, inverseOf(perm))],
  },
  Expand: {
    infer: ([x], { shape }) => {
      const offset = shape.length - x!.dims.length;
      const fits = offset >= 0 && x!.dims.every((dim, axis) => dim === 1 || dim === shape[axis + offset]);
      if (!fits) throw new ShapeError(`Expand: ${formatShape(x!.dims)} does not broadcast to ${formatShape(shape)}.`);
      return [type(x!.dtype, shape)];
    },
    onnx: ({ shape }) => ({ attributes: {}, trailing: [{ integers: shape }] }),
    gradient: ({ grad }) => [grad],
  },
  Concat: {
    infer: (inputs, { axis: at }) => {
      const [first] = inputs as [Value];
      const axis = normalizeAxis('Concat', at, first.dims.length);
      const others = (dims: readonly Dim[]) => dims.filter((_, index) => index !== axis);
      for (const { dims, dtype } of inputs) {
        if (dtype !== first.dtype) throw new ShapeError(`Concat: element types differ, ${first.dtype} and ${dtype}.`);
        if (dims.length !== first.dims.length || !sameShape(others(dims), others(first.dims))) {
          throw new ShapeError(
            `Concat: ${formatShape(first.dims)} and ${formatShape(dims)} differ outside axis ${axis}.`,
          );
        }
      }
      const size = inputs.map(({ dims }) => dims[axis]!).reduce<Dim>(addDims, 0);
      return [
        type(
          first.dtype,
          first.dims.map((dim, index) => (index === axis ? size : dim)),
        ),
      ];
    },
    gradient: ({ grad, inputs, attributes: { axis } }) => parts(grad, inputs, axis),
  },
  Split: {
    infer: ([x], { axis: at, sizes }) => {
      const axis = normalizeAxis('Split', at, x!.dims.length);
      if (sizes.reduce((sum, size) => sum + size, 0) !== x!.dims[axis]) {
        throw new ShapeError(`Split: sizes ${formatShape(sizes)} do not add up to ${x!.dims[axis]}.`);
      }
      return sizes.map((size) =>
        type(
          x!.dtype,
          x!.dims.map((dim, index) => (index === axis ? size : dim)),
        ),
      );
    },
    onnx: ({ axis, sizes }) => ({ attributes: { axis }, trailing: [{ integers: sizes }] }),
    gradient: ({ grads, outputs, attributes: { axis } }) => [
      concat(
        grads.map((grad, index) => grad ?? zeros(outputs[index]!.graph, outputs[index]!.dims)),
        { axis },
      ),
    ],
  },
  Slice: {
    infer: ([x], { axes, starts, ends }) => {
      const dims = [...x!.dims];
      axes.forEach((at, index) => {
        const axis = normalizeAxis('Slice', at, dims.length);
        const [start, end] = [starts[index]!, ends[index]!];
        const size = subDims(end, start);
        if ([start, size, subDims(dims[axis]!, end)].some(isNegative)) {
          throw new ShapeError(`Slice: ${start} to ${end} is not inside axis ${at} of ${formatShape(x!.dims)}.`);
        }
        dims[axis] = size;
      });
      return [type(x!.dtype, dims)];
    },
    onnx: ({ axes, starts, ends }) => ({
      attributes: {},
      trailing: [{ integers: starts }, { integers: ends }, { integers: axes }],
    }),
    gradient: ({ grad, inputs: [x], attributes: { axes, starts, ends } }) => {
      const before: Dim[] = x!.dims.map(() => 0);
      const after: Dim[] = x!.dims.map(() => 0);
      axes.forEach((at, index) => {
        const axis = normalizeAxis('Slice', at, x!.dims.length);
        before[axis] = starts[index]!;
        after[axis] = subDims(x!.dims[axis]!, ends[index]!);
      });
      return [pad(grad, { before, after })];
    },
  },
  Pad: {
    infer: ([x], { before, after }) => {
      if (before.length !== x!.dims.length || after.length !== x!.dims.length) {
        throw new ShapeError(`Pad: expected ${x!.dims.length} sizes before and after.`);
      }
      if ([...before, ...after].some(isNegative)) {
        throw new ShapeError(`Pad: expected sizes from 0 up, got ${formatShape(before)} and ${formatShape(after)}.`);
      }
      return [
        type(
          x!.dtype,
          x!.dims.map((dim, axis) => addDims(addDims(before[axis]!, dim), after[axis]!)),
        ),
      ];
    },
    onnx: ({ before, after }) => ({ attributes: {}, trailing: [{ integers: [...before, ...after] }] }),
    gradient: ({ grad, inputs: [x], attributes: { before } }) => [
      x!.dims.reduce<Value>((part, dim, axis) => {
        if (part.dims[axis] === dim) return part;
        return slice(part, { axis, start: before[axis]!, end: addDims(before[axis]!, dim) });
      }, grad),
    ],
  },
  Size: { infer: () => [type('int64', [])], gradient: none },
  Shape: { infer: ([x]) => [type('int64', [x!.dims.length])], gradient: none },
} satisfies Partial<OpTable>;
