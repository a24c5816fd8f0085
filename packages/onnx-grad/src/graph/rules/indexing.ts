/** Reading and adding at integer positions. Nothing flows to the positions. */
import { ShapeError } from '../../errors.ts';
import type { Dim } from '../../onnx/model.ts';
import { formatShape, normalizeAxis, subDims } from '../dims.ts';
import { expectType, type Value } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import { cast, gather, gatherElements, reshape, scatterElementsAdd, scatterNDAdd, transpose, zeros } from '../ops.ts';
import { expectDtype, none, type OpTable, type } from '../rule.ts';

/** Whether a size is no greater than another, as far as it can be told: a number may be within a name. */
function mayBeUpTo(dim: Dim, size: Dim): boolean {
  const spare = subDims(size, dim);
  return typeof spare === 'number' ? spare >= 0 : typeof dim === 'number' || typeof size === 'number';
}

/** @throws ShapeError unless the indices have the data's rank and, but for `axis`, no greater sizes. */
function expectElements(op: OpType, data: Value, indices: Value, at: number): void {
  expectDtype(op, indices, 'int64', 'int32');
  const axis = normalizeAxis(op, at, data.dims.length);
  const isInside = (dim: Dim, index: number) => index === axis || mayBeUpTo(dim, data.dims[index]!);
  if (indices.dims.length !== data.dims.length || !indices.dims.every(isInside)) {
    throw new ShapeError(
      `${op}: indices ${formatShape(indices.dims)} do not fit ${formatShape(data.dims)} outside axis ${at}.`,
    );
  }
}

/** The permutation that brings `axis` to the front, the rest in order. */
function toFront(axis: number, rank: number): number[] {
  return [axis, ...Array.from({ length: rank }, (_, index) => index).filter((index) => index !== axis)];
}

export const indexing = {
  Gather: {
    infer: ([data, indices], { axis: at }) => {
      expectDtype('Gather', indices!, 'int64', 'int32');
      const axis = normalizeAxis('Gather', at, data!.dims.length);
      return [type(data!.dtype, [...data!.dims.slice(0, axis), ...indices!.dims, ...data!.dims.slice(axis + 1)])];
    },
    gradient: ({ grad, inputs: [data, indices], attributes: { axis: at } }) => {
      const rank = data!.dims.length;
      const axis = normalizeAxis('Gather', at, rank);
      const perm = toFront(axis, rank);
      const coordinates = reshape(cast(indices!, 'int64'), [...indices!.dims, 1]); // ScatterND takes no int32
      if (axis === 0) return [scatterNDAdd(zeros(grad.graph, data!.dims), coordinates, grad), null];
      const indexRank = indices!.dims.length; // the indices' axes stand where `axis` stood: bring them to the front
      const axes = Array.from({ length: grad.dims.length }, (_, index) => index);
      const moved = axes.slice(axis, axis + indexRank);
      const updates = transpose(grad, [...moved, ...axes.filter((index) => !moved.includes(index))]);
      const front = zeros(
        grad.graph,
        perm.map((index) => data!.dims[index]!),
      );
      const back = Array.from({ length: rank }, (_, index) => perm.indexOf(index));
      return [transpose(scatterNDAdd(front, coordinates, updates), back), null];
    },
  },
  GatherElements: {
    infer: ([data, indices], { axis }) => {
      expectElements('GatherElements', data!, indices!, axis);
      return [type(data!.dtype, indices!.dims)];
    },
    gradient: ({ grad, inputs: [data, indices], attributes: { axis } }) => [
      scatterElementsAdd(zeros(grad.graph, data!.dims), indices!, grad, { axis }),
      null,
    ],
  },
  ScatterElements: {
    infer: ([data, indices, updates], { axis }) => {
      expectElements('ScatterElements', data!, indices!, axis);
      expectType('ScatterElements: the updates', updates!, data!.dtype, indices!.dims);
      return [type(data!.dtype, data!.dims)];
    },
    gradient: ({ grad, inputs: [, indices], attributes: { axis } }) => [
      grad,
      null,
      gatherElements(grad, indices!, { axis }),
    ],
  },
  ScatterND: {
    infer: ([data, indices, updates]) => {
      expectDtype('ScatterND', indices!, 'int64');
      normalizeAxis('ScatterND', 0, data!.dims.length);
      if (indices!.dims.at(-1) !== 1) throw new ShapeError('ScatterND: only one coordinate per index is supported.');
      const expected = [...indices!.dims.slice(0, -1), ...data!.dims.slice(1)];
      expectType('ScatterND: the updates', updates!, data!.dtype, expected);
      return [type(data!.dtype, data!.dims)];
    },
    gradient: ({ grad, inputs: [, indices] }) => [
      grad,
      null,
      gather(grad, reshape(indices!, indices!.dims.slice(0, -1))),
    ],
  },
  ConstantOfShape: {
    infer: (_, { shape }) => [type('float32', shape)],
    onnx: ({ shape }) => ({ attributes: {}, trailing: [{ integers: shape }] }),
    gradient: none,
  },
  Range: {
    infer: (_, { start, limit }) => [type('int64', [subDims(limit, start)])],
    onnx: ({ start, limit }) => ({
      attributes: {},
      trailing: [{ integer: start }, { integer: limit }, { integer: 1 }],
    }),
    gradient: none,
  },
} satisfies Partial<OpTable>;
