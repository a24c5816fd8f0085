/** Reading and adding at integer positions. Nothing flows to the positions. */
import { ShapeError } from '../../errors.ts';
import { formatShape, normalizeAxis, sameShape, subDims } from '../dims.ts';
import type { Value } from '../graph.ts';
import { gather, gatherElements, reshape, scatterElementsAdd, scatterNDAdd, transpose, zeros } from '../ops.ts';
import { none, type PartialTable, type } from '../rule.ts';

function expectIntegers(op: string, indices: Value): void {
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') {
    throw new ShapeError(`${op}: expected integer indices, got ${indices.dtype}.`);
  }
}

/** The permutation that brings `axis` to the front, the rest in order. */
function toFront(axis: number, rank: number): number[] {
  return [axis, ...Array.from({ length: rank }, (_, index) => index).filter((index) => index !== axis)];
}

export const indexing: PartialTable<
  'Gather' | 'GatherElements' | 'ScatterElements' | 'ScatterND' | 'ConstantOfShape' | 'Range'
> = {
  Gather: {
    infer: ([data, indices], { axis: at }) => {
      expectIntegers('Gather', indices!);
      const axis = normalizeAxis('Gather', at, data!.dims.length);
      return [type(data!.dtype, [...data!.dims.slice(0, axis), ...indices!.dims, ...data!.dims.slice(axis + 1)])];
    },
    gradient: ({ grad, inputs: [data, indices], attributes: { axis: at } }) => {
      const rank = data!.dims.length;
      const axis = normalizeAxis('Gather', at, rank);
      const perm = toFront(axis, rank);
      const coordinates = reshape(indices!, [...indices!.dims, 1]);
      if (axis === 0) return [scatterNDAdd(zeros(grad.graph, data!.dims), coordinates, grad), null];
      const indexRank = indices!.dims.length; // the indices' axes stand where `axis` stood: bring them to the front
      const axes = Array.from({ length: grad.dims.length }, (_, index) => index);
      const moved = axes.slice(axis, axis + indexRank);
      const updates = transpose(grad, [...moved, ...axes.filter((index) => !moved.includes(index))]);
      const front = zeros(grad.graph, perm.map((index) => data!.dims[index]!));
      const back = Array.from({ length: rank }, (_, index) => perm.indexOf(index));
      return [transpose(scatterNDAdd(front, coordinates, updates), back), null];
    },
  },
  GatherElements: {
    infer: ([data, indices], { axis }) => {
      expectIntegers('GatherElements', indices!);
      normalizeAxis('GatherElements', axis, data!.dims.length);
      if (indices!.dims.length !== data!.dims.length) {
        throw new ShapeError(
          `GatherElements: ranks differ, ${formatShape(data!.dims)} and ${formatShape(indices!.dims)}.`,
        );
      }
      return [type(data!.dtype, indices!.dims)];
    },
    gradient: ({ grad, inputs: [data, indices], attributes: { axis } }) => [
      scatterElementsAdd(zeros(grad.graph, data!.dims), indices!, grad, { axis }),
      null,
    ],
  },
  ScatterElements: {
    infer: ([data, indices, updates]) => {
      expectIntegers('ScatterElements', indices!);
      if (!sameShape(indices!.dims, updates!.dims)) {
        throw new ShapeError(
          `ScatterElements: indices ${formatShape(indices!.dims)} and updates ${formatShape(updates!.dims)} differ.`,
        );
      }
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
      expectIntegers('ScatterND', indices!);
      if (indices!.dims.at(-1) !== 1) throw new ShapeError('ScatterND: only one coordinate per index is supported.');
      const expected = [...indices!.dims.slice(0, -1), ...data!.dims.slice(1)];
      if (!sameShape(updates!.dims, expected)) {
        throw new ShapeError(`ScatterND: expected updates ${formatShape(expected)}, got ${formatShape(updates!.dims)}.`);
      }
      return [type(data!.dtype, data!.dims)];
    },
    gradient: ({ grad, inputs: [, indices] }) => [grad, null, gather(grad, reshape(indices!, indices!.dims.slice(0, -1)))],
  },
  ConstantOfShape: {
    infer: (_, { shape }) => [type('float32', shape)],
    onnx: ({ shape }) => ({ attributes: {}, trailing: [{ integers: shape }] }),
    gradient: none,
  },
  Range: {
    infer: (_, { start, limit }) => [type('int64', [subDims(limit, start)])],
    onnx: ({ start, limit }) => ({ attributes: {}, trailing: [{ integer: start }, { integer: limit }, { integer: 1 }] }),
    gradient: none,
  },
};
