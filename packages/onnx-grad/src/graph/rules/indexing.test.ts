import { describe, expect, it } from 'vitest';
import type { Dim } from '../../onnx/model.ts';
import { evaluateDim, subDims } from '../dims.ts';
import { type InputSpec, runGraph, type Tensor } from '../gradient-check.testing.node.ts';
import type { Value } from '../graph.ts';
import { gather, gatherElements, range, scatterElementsAdd, scatterNDAdd, zeros } from '../ops.ts';
import { createGraph } from '../table.ts';
import { indexing } from './indexing.ts';
import { type OpCase, testOps } from './op-cases.testing.node.ts';
import { at, fill } from './oracles.testing.ts';

type Shape = readonly Dim[];

/** Position `index` of an axis; a negative one counts from the end. */
function place(index: number, length: number): number {
  return index < 0 ? index + length : index;
}

function positive(axis: number, { dims }: Tensor): number {
  return place(axis, dims.length);
}

function replaced(index: readonly number[], axis: number, position: number): number[] {
  return index.map((own, at) => (at === axis ? position : own));
}

function gatherCase(data: Shape, indices: InputSpec, axis: number): OpCase {
  return {
    inputs: [{ dims: data }, { dtype: 'int64', ...indices }],
    build: ([x, ids]) => gather(x!, ids!, { axis }),
    oracle: ([x, ids]) => {
      const start = positive(axis, x!);
      const rank = ids!.dims.length;
      return fill([...x!.dims.slice(0, start), ...ids!.dims, ...x!.dims.slice(start + 1)], (index) => {
        const position = place(at(ids!, index.slice(start, start + rank)), x!.dims[start]!);
        return at(x!, [...index.slice(0, start), position, ...index.slice(start + rank)]);
      });
    },
  };
}

function gatherElementsCase(data: Shape, indices: InputSpec, axis: number): OpCase {
  return {
    inputs: [{ dims: data }, { dtype: 'int64', ...indices }],
    build: ([x, ids]) => gatherElements(x!, ids!, { axis }),
    oracle: ([x, ids]) => {
      const along = positive(axis, x!);
      return fill(ids!.dims, (index) => at(x!, replaced(index, along, place(at(ids!, index), x!.dims[along]!))));
    },
  };
}

/** `data` and, added, each update at the index that `target` gives for its own. */
function added(data: Tensor, updates: Tensor, target: (index: readonly number[]) => readonly number[]): Tensor {
  const sums = new Map<string, number>();
  fill(updates.dims, (index) => {
    const key = target(index).join();
    sums.set(key, (sums.get(key) ?? 0) + at(updates, index));
    return 0;
  });
  return fill(data.dims, (index) => at(data, index) + (sums.get(index.join()) ?? 0));
}

function scatterElementsCase(data: Shape, indices: InputSpec, axis: number): OpCase {
  return {
    inputs: [{ dims: data }, { dtype: 'int64', ...indices }, { dims: indices.dims }],
    build: ([x, ids, updates]) => scatterElementsAdd(x!, ids!, updates!, { axis }),
    oracle: ([x, ids, updates]) => {
      const along = positive(axis, x!);
      return added(x!, updates!, (index) => replaced(index, along, place(at(ids!, index), x!.dims[along]!)));
    },
  };
}

function scatterNDCase(data: Shape, indices: InputSpec): OpCase {
  return {
    inputs: [
      { dims: data },
      { dtype: 'int64', ...indices, dims: [...indices.dims, 1] },
      { dims: [...indices.dims, ...data.slice(1)] },
    ],
    build: ([x, ids, updates]) => scatterNDAdd(x!, ids!, updates!),
    oracle: ([x, ids, updates]) => {
      const rank = ids!.dims.length - 1;
      return added(x!, updates!, (index) => {
        return [place(at(ids!, [...index.slice(0, rank), 0]), x!.dims[0]!), ...index.slice(rank)];
      });
    },
  };
}

function rangeCase(start: Dim, limit: Dim): OpCase {
  return {
    inputs: [{ dims: ['batch', 'length'] }],
    build: (_, graph) => range(graph, { start, limit }),
    oracle: (_, sizes) => {
      const first = evaluateDim(start, sizes);
      return fill([evaluateDim(limit, sizes) - first], ([index]) => first + index!, 'int64');
    },
  };
}

const repeated = { values: [1, 0, 1, -1] }; // an index twice, and one from the end

testOps(indexing, {
  Gather: {
    accepts: {
      'rows at a scalar': gatherCase([4, 3], { dims: [], values: [2] }, 0),
      'elements of a vector': gatherCase([4], { dims: [3], ...repeated }, 0),
      'rows at a batch of ids': gatherCase([5, 3], { dims: ['batch', 'length'], ...repeated }, 0),
      'columns of a batch': gatherCase(['batch', 'length', 3], { dims: [4], ...repeated }, -1),
      'a middle axis at a matrix': gatherCase(['batch', 'length', 3], { dims: [2, 2], ...repeated }, 1),
      'a middle axis at a scalar': gatherCase(['batch', 'length', 3], { dims: [], values: [-1] }, 1),
      'rows at int32 ids': gatherCase([4, 3], { dims: [4], dtype: 'int32', ...repeated }, 0),
      'no rows': gatherCase([4, 3], { dims: [0] }, 0),
    },
    rejects: {
      'Gather: expected int64 or int32, got float32.': (value) => gather(value([4, 3]), value([2])),
      'Gather: axis 2 is outside a tensor of rank 2.': (value) =>
        gather(value([4, 3]), value([2], 'int64'), { axis: 2 }),
    },
  },
  GatherElements: {
    accepts: {
      'a vector': gatherElementsCase([4], { dims: [3], ...repeated }, 0),
      'the last axis of a batch': gatherElementsCase(
        ['batch', 'length', 3],
        { dims: ['batch', 'length', 4], ...repeated },
        -1,
      ),
      'a middle axis': gatherElementsCase(['batch', 'length', 3], { dims: ['batch', 2, 3], ...repeated }, 1),
      'fewer rows than there are': gatherElementsCase([4, 3], { dims: [2, 5], ...repeated }, 1),
      'fewer tokens than there are': gatherElementsCase(
        ['batch', 'length'],
        { dims: ['batch', 'length-1'], values: [0] },
        0,
      ),
      'one row of a named number': gatherElementsCase(['length', 3], { dims: [1, 4], ...repeated }, 1),
    },
    rejects: {
      'GatherElements: indices (2) do not fit (4, 3) outside axis 1.': (value) =>
        gatherElements(value([4, 3]), value([2], 'int64'), { axis: 1 }),
      'GatherElements: indices (5, 1) do not fit (4, 3) outside axis 1.': (value) =>
        gatherElements(value([4, 3]), value([5, 1], 'int64'), { axis: 1 }),
      'GatherElements: indices (length, 1) do not fit (batch, 3) outside axis 1.': (value) =>
        gatherElements(value(['batch', 3]), value(['length', 1], 'int64'), { axis: 1 }),
      'GatherElements: axis -3 is outside a tensor of rank 2.': (value) =>
        gatherElements(value([4, 3]), value([4, 3], 'int64'), { axis: -3 }),
    },
  },
  ScatterElements: {
    accepts: {
      'a vector': scatterElementsCase([4], { dims: [5], ...repeated }, 0),
      'the last axis of a batch': scatterElementsCase(
        ['batch', 'length', 3],
        { dims: ['batch', 'length', 4], ...repeated },
        -1,
      ),
      'fewer rows than there are': scatterElementsCase([4, 3], { dims: [2, 5], ...repeated }, 1),
    },
    rejects: {
      'ScatterElements: the updates: expected float32 (2, 3), got float32 (3, 2).': (value) =>
        scatterElementsAdd(value([4, 3]), value([2, 3], 'int64'), value([3, 2]), { axis: 0 }),
      'ScatterElements: indices (2, 4) do not fit (4, 3) outside axis 0.': (value) =>
        scatterElementsAdd(value([4, 3]), value([2, 4], 'int64'), value([2, 4]), { axis: 0 }),
    },
  },
  ScatterND: {
    accepts: {
      'a vector at a scalar': scatterNDCase([4], { dims: [], values: [-1] }),
      'rows at a vector': scatterNDCase([4, 3], { dims: [5], ...repeated }),
      'rows at a batch of ids': scatterNDCase([4, 3], { dims: ['batch', 'length'], ...repeated }),
      'blocks of a batch': scatterNDCase(['length', 'batch', 2], { dims: [4], ...repeated }),
    },
    rejects: {
      'ScatterND: the updates: expected float32 (2, 3), got float32 (2, 4).': (value) =>
        scatterNDAdd(value([4, 3]), value([2, 1], 'int64'), value([2, 4])),
      'ScatterND: only one coordinate per index is supported.': (value) =>
        scatterNDAdd(value([4, 3]), value([2, 2], 'int64'), value([2])),
      'ScatterND: expected int64, got int32.': (value) =>
        scatterNDAdd(value([4, 3]), value([2, 1], 'int32'), value([2, 3])),
      'ScatterND: axis 0 is outside a tensor of rank 0.': (value) =>
        scatterNDAdd(value([]), value([2, 1], 'int64'), value([2])),
    },
  },
  ConstantOfShape: {
    accepts: {
      'a scalar': { inputs: [], build: (_, graph) => zeros(graph, []), oracle: () => fill([], () => 0) },
      'a batch': {
        inputs: [{ dims: ['batch', 'length'] }],
        build: (_, graph) => zeros(graph, ['batch', '2*length-1', 3]),
        oracle: (_, { batch, length }) => fill([batch!, 2 * length! - 1, 3], () => 0),
      },
    },
    rejects: {
      'ConstantOfShape: -1 in (2, -1) is not a size, expected a whole number or a name.': (_, graph) =>
        zeros(graph, [2, -1]),
    },
  },
  Range: {
    accepts: {
      numbers: rangeCase(2, 5),
      'no numbers': rangeCase(3, 3),
      'as many as tokens': rangeCase(0, 'length'),
      'the distances between tokens': rangeCase(subDims(1, 'length'), 'length'),
      'over all tokens of a batch': rangeCase('batch', 'batch*length+1'),
    },
    rejects: {
      'Range: -2 in (-2) is not a size, expected a whole number or a name.': (_, graph) =>
        range(graph, { start: 5, limit: 3 }),
    },
  },
});

describe('indices outside the data', () => {
  it.each([4, -5])('%d of 4 rows is an error of the runtime, not a wrong row', async (index) => {
    const graph = createGraph();
    const data = graph.input('data', 'float32', [4, 3]);
    const ids = graph.input('ids', 'int64', [1]);
    const feeds = { data: fill([4, 3], () => 1), ids: { dtype: 'int64', dims: [1], data: [index] } as const };
    const rows: Value = gather(data, ids);
    await expect(runGraph(graph, { rows }, feeds)).rejects.toThrow(/out of.*bounds/);
  });
});
