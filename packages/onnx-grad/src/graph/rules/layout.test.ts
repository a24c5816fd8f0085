import type { Dim } from '../../onnx/model.ts';
import { addDims, evaluateDim, mulDims, subDims } from '../dims.ts';
import type { Sizes, Tensor } from '../gradient-check.testing.node.ts';
import type { Value } from '../graph.ts';
import { concat, expand, pad, reshape, shapeOf, size, slice, split, transpose } from '../ops.ts';
import { layout } from './layout.ts';
import { type OpCase, testOps } from './op-cases.testing.node.ts';
import { at, fill } from './oracles.testing.ts';

type Shape = readonly Dim[];

const TWICE_LESS_ONE = '2*length-1'; // the relative positions of `length` tokens

function evaluate(shape: Shape, sizes: Sizes): number[] {
  return shape.map((dim) => evaluateDim(dim, sizes));
}

/** @param result `shape` with its -1 worked out */
function reshapeCase(dims: Shape, shape: Shape, result = shape): OpCase {
  return {
    inputs: [{ dims }, { dims: ['batch', 'length'] }], // the second is where the sizes are read from
    build: ([x]) => reshape(x!, shape),
    oracle: ([x], sizes) => ({ ...x!, dims: evaluate(result, sizes) }),
  };
}

function expandCase(dims: Shape, shape: Shape): OpCase {
  return {
    inputs: [{ dims }, { dims: ['batch', 'length'] }],
    build: ([x]) => expand(x!, shape),
    oracle: ([x], sizes) => fill(evaluate(shape, sizes), (index) => at(x!, index)),
  };
}

function transposeCase(dims: Shape, perm: readonly number[]): OpCase {
  return {
    inputs: [{ dims }],
    build: ([x]) => transpose(x!, perm),
    oracle: ([x]) =>
      fill(
        perm.map((axis) => x!.dims[axis]!),
        (index) =>
          at(
            x!,
            perm.map((_, axis) => index[perm.indexOf(axis)]!),
          ),
      ),
  };
}

function concatenated(tensors: readonly Tensor[], axis: number): Tensor {
  const dims = [...tensors[0]!.dims];
  dims[axis] = tensors.reduce((total, tensor) => total + tensor.dims[axis]!, 0);
  return fill(dims, (index) => {
    const place = [...index];
    for (const tensor of tensors) {
      if (place[axis]! < tensor.dims[axis]!) return at(tensor, place);
      place[axis]! -= tensor.dims[axis]!;
    }
    return Number.NaN;
  });
}

function concatCase(axis: number, ...shapes: Shape[]): OpCase {
  return {
    inputs: shapes.map((dims) => ({ dims })),
    build: (values) => concat(values, { axis }),
    oracle: (tensors) => concatenated(tensors, axis < 0 ? axis + tensors[0]!.dims.length : axis),
  };
}

/** Everything from `starts` up to `ends`; outside `x` there are zeros. */
function window(x: Tensor, starts: readonly number[], ends: readonly number[]): Tensor {
  return fill(
    ends.map((end, axis) => end - starts[axis]!),
    (index) => {
      const place = index.map((position, axis) => position + starts[axis]!);
      return place.every((position, axis) => position >= 0 && position < x.dims[axis]!) ? at(x, place) : 0;
    },
  );
}

function sliceCase(dims: Shape, axis: number, start: Dim, end: Dim): OpCase {
  return {
    inputs: [{ dims }, { dims: ['length'] }],
    build: ([x]) => slice(x!, { axis, start, end }),
    oracle: ([x], sizes) => {
      const replaced = (all: readonly number[], bound: Dim) => {
        const bounds = [...all];
        bounds[axis < 0 ? axis + all.length : axis] = evaluateDim(bound, sizes);
        return bounds;
      };
      return window(
        x!,
        replaced(
          x!.dims.map(() => 0),
          start,
        ),
        replaced(x!.dims, end),
      );
    },
  };
}

function padCase(dims: Shape, before: Shape, after: Shape): OpCase {
  return {
    inputs: [{ dims }],
    build: ([x]) => pad(x!, { before, after }),
    oracle: ([x], sizes) => {
      const ends = x!.dims.map((length, axis) => length + evaluateDim(after[axis]!, sizes));
      return window(
        x!,
        evaluate(before, sizes).map((count) => -count),
        ends,
      );
    },
  };
}

function reshapeTo(x: Value, shape: Value): Value {
  return x.graph.node('ReshapeTo', [x, shape], {})[0]!;
}

testOps(layout, {
  Reshape: {
    accepts: {
      'a scalar': reshapeCase([], [1, 1]),
      'a vector': reshapeCase([6], [2, 3]),
      'a vector with one size left open': reshapeCase([6], [2, -1], [2, 3]),
      'a batch to rows': reshapeCase(['batch', 'length', 4], ['batch*length', 4]),
      'a batch to heads': reshapeCase(['batch*length', 6], ['batch', 'length', 2, 3]),
      'a batch with one size left open': reshapeCase(
        ['batch', 'length', 4],
        ['batch', -1, 2],
        ['batch', '2*length', 2],
      ),
      'a batch with a polynomial left open': reshapeCase(
        ['batch', TWICE_LESS_ONE, 3],
        ['batch', -1],
        ['batch', '6*length-3'],
      ),
      'a batch by a polynomial': reshapeCase(
        ['batch', mulDims('length', TWICE_LESS_ONE)],
        ['batch', TWICE_LESS_ONE, -1],
        ['batch', TWICE_LESS_ONE, 'length'],
      ),
      'nothing to nothing of another shape': reshapeCase([0, 3], [5, 0]),
      'nothing and a named size': reshapeCase([0, 'batch'], ['batch', 0]),
      'nothing with one size left open': reshapeCase([0, 3], [3, -1], [3, 0]),
    },
    rejects: {
      'Reshape: (2, 3) does not fit into (4, 2).': (value) => reshape(value([2, 3]), [4, 2]),
      'Reshape: (2, 3) does not fit into (4, -1).': (value) => reshape(value([2, 3]), [4, -1]),
      'Reshape: (2, 3) does not fit into (-1, -1).': (value) => reshape(value([2, 3]), [-1, -1]),
      'Reshape: (0, 3) does not fit into (0, -1).': (value) => reshape(value([0, 3]), [0, -1]),
      'Reshape: (batch, 3) does not fit into (length, 3).': (value) => reshape(value(['batch', 3]), ['length', 3]),
      'Reshape: "length*batch" in (length*batch) is not a size, expected "batch*length".': (value) =>
        reshape(value(['batch', 'length']), ['length*batch']),
    },
  },
  ReshapeTo: {
    accepts: {
      'a batch': {
        inputs: [{ dims: ['batch', 'length', 2] }],
        build: ([x]) => reshapeTo(x!, shapeOf(x!)),
        oracle: ([x]) => x!,
      },
    },
    rejects: {
      'ReshapeTo: the shape: expected int64 (2), got float32 (2).': (value) => reshapeTo(value([2, 3]), value([2])),
      'ReshapeTo: the shape: expected int64 (2), got int64 (1).': (value) =>
        reshapeTo(value([2, 3]), value([1], 'int64')),
    },
  },
  Transpose: {
    accepts: {
      'a scalar': transposeCase([], []),
      'a matrix': transposeCase([2, 3], [1, 0]),
      'a batch, its axes turned round': transposeCase(['batch', 'length', 4], [2, 0, 1]),
      heads: transposeCase(['batch', 'length', 2, 3], [0, 2, 1, 3]),
    },
    rejects: {
      'Transpose: perm (0) does not order (2, 3).': (value) => transpose(value([2, 3]), [0]),
      'Transpose: perm (0, 0) does not order (2, 3).': (value) => transpose(value([2, 3]), [0, 0]),
      'Transpose: perm (-1, 1) does not order (2, 3).': (value) => transpose(value([2, 3]), [-1, 1]),
    },
  },
  Expand: {
    accepts: {
      'a scalar': expandCase([], [2, 3]),
      'a vector': expandCase([3], [2, 3]),
      'a column to a polynomial': expandCase(['length', 1], ['length', TWICE_LESS_ONE]),
      'a row to a batch': expandCase([1, 'length'], ['batch', 'length']),
    },
    rejects: {
      'Expand: (2) does not broadcast to (3).': (value) => expand(value([2]), [3]),
      'Expand: (2, 3) does not broadcast to (3).': (value) => expand(value([2, 3]), [3]),
      'Expand: (length) does not broadcast to (batch).': (value) => expand(value(['length']), ['batch']),
      'Expand: -1 in (-1, 3) is not a size, expected a whole number or a name.': (value) => expand(value([3]), [-1, 3]),
    },
  },
  Concat: {
    accepts: {
      vectors: concatCase(0, [2], [3], [1]),
      'one value': concatCase(0, [2]),
      'batches along a named axis': concatCase(1, ['batch', 'length', 2], ['batch', 1, 2], ['batch', 'length', 2]),
      'batches along the last axis': concatCase(-1, ['batch', 2], ['batch', 3]),
    },
    rejects: {
      'Concat: (2, 3) and (3, 3) differ outside axis 1.': (value) =>
        concat([value([2, 3]), value([3, 3])], { axis: -1 }),
      'Concat: (2, 3) and (2) differ outside axis 0.': (value) => concat([value([2, 3]), value([2])], { axis: 0 }),
      'Concat: axis 2 is outside a tensor of rank 2.': (value) => concat([value([2, 3]), value([2, 3])], { axis: 2 }),
      'Concat: element types differ, float32 and int64.': (value) =>
        concat([value([2]), value([2], 'int64')], { axis: 0 }),
    },
  },
  Split: {
    accepts: {
      'a vector': {
        inputs: [{ dims: [5] }],
        build: ([x]) => split(x!, { axis: 0, sizes: [2, 3] }),
        oracle: ([x]) => [window(x!, [0], [2]), window(x!, [2], [5])],
      },
      'the last axis of a batch': {
        inputs: [{ dims: ['batch', 'length', 6] }],
        build: ([x]) => split(x!, { axis: -1, sizes: [1, 2, 3] }),
        oracle: ([x]) =>
          [0, 1, 3].map((start, part) => window(x!, [0, 0, start], [x!.dims[0]!, x!.dims[1]!, start + part + 1])),
      },
      'a batch of which one part is read': {
        inputs: [{ dims: ['batch', 6] }],
        build: ([x]) => split(x!, { axis: 1, sizes: [1, 2, 3] })[1]!,
        oracle: ([x]) => window(x!, [0, 1], [x!.dims[0]!, 3]),
      },
    },
    rejects: {
      'Split: sizes (1, 2) do not add up to 4.': (value) => split(value([4]), { axis: 0, sizes: [1, 2] }),
      'Split: -1 in (-1) is not a size, expected a whole number or a name.': (value) =>
        split(value([4]), { axis: 0, sizes: [5, -1] }),
    },
  },
  Slice: {
    accepts: {
      'a vector': sliceCase([5], 0, 1, 4),
      'the whole of a vector': sliceCase([5], 0, 0, 5),
      'nothing of a vector': sliceCase([5], 0, 2, 2),
      'a batch from the second token on': sliceCase(['batch', 'length', 2], 1, 1, 'length'),
      'a batch but its last token': sliceCase(['batch', 'length', 2], -2, 0, 'length-1'),
      'a table as far as there are tokens': sliceCase([8, 2], 0, 0, 'length'),
      'the later half of a polynomial': sliceCase(['batch', TWICE_LESS_ONE], 1, 'length-1', TWICE_LESS_ONE),
    },
    rejects: {
      'Slice: 3 to 2 is not inside axis 0 of (5).': (value) => slice(value([5]), { axis: 0, start: 3, end: 2 }),
      'Slice: 3 to 6 is not inside axis 0 of (5).': (value) => slice(value([5]), { axis: 0, start: 3, end: 6 }),
      'Slice: -2 to 5 is not inside axis 0 of (5).': (value) => slice(value([5]), { axis: 0, start: -2, end: 5 }),
      'Slice: 1 to length+1 is not inside axis 1 of (2, length).': (value) =>
        slice(value([2, 'length']), { axis: 1, start: 1, end: addDims('length', 1) }),
      'Slice: axis 1 is outside a tensor of rank 1.': (value) => slice(value([5]), { axis: 1, end: 2 }),
    },
  },
  Pad: {
    accepts: {
      'a vector': padCase([3], [1], [2]),
      'a vector by nothing': padCase([3], [0], [0]),
      'a batch at the end': padCase(['batch', 'length', 2], [0, 0, 0], [0, 3, 1]),
      'a batch to a polynomial': padCase(['batch', 'length'], [0, subDims('length', 1)], [0, 0]),
    },
    rejects: {
      'Pad: expected 2 sizes before and after.': (value) => pad(value([2, 3]), { before: [0], after: [0, 1] }),
      'Pad: expected sizes from 0 up, got (-1) and (1).': (value) => pad(value([3]), { before: [-1], after: [1] }),
    },
  },
  Size: {
    accepts: {
      'a scalar': { inputs: [{ dims: [] }], build: ([x]) => size(x!), oracle: () => integer([], [1]) },
      'a batch': {
        inputs: [{ dims: ['batch', 'length', 3] }],
        build: ([x]) => size(x!),
        oracle: ([x]) => integer([], [x!.data.length]),
      },
    },
    rejects: {},
  },
  Shape: {
    accepts: {
      'a batch': {
        inputs: [{ dims: ['batch', 'length', 3] }],
        build: ([x]) => shapeOf(x!),
        oracle: ([x]) => integer([3], x!.dims),
      },
    },
    rejects: {},
  },
});

function integer(dims: readonly number[], data: readonly number[]): Tensor {
  return { dtype: 'int64', dims, data };
}
