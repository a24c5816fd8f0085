import { describe, expect, it } from 'vitest';
import { ConfigError, ShapeError } from '../errors.ts';
import { embeddingLookup } from '../graph/embedding.ts';
import type { Value } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { type BatchTensor, measure, planGradients, sizeOf, type TrainedParameter } from './program.ts';

const parameter = (value: Value, length: number, name = value.name): TrainedParameter => {
  return { name, value, initial: new Float32Array(length), weightDecay: 0 };
};

describe('measure', () => {
  const graph = createGraph();
  const inputs = [graph.input('ids', 'int64', ['batch', 'length']), graph.input('targets', 'float32', ['batch', 2])];
  const ids: BatchTensor = { dtype: 'int64', dims: [4, 7], data: new BigInt64Array(28) };
  const targets: BatchTensor = { dtype: 'float32', dims: [4, 2], data: new Float32Array(8) };

  it('finds the sizes that have names', () => {
    expect(measure(inputs, { ids, targets })).toEqual(
      new Map([
        ['batch', 4],
        ['length', 7],
      ]),
    );
  });

  it.each<[string, Record<string, BatchTensor>, string]>([
    ['no such input', { ids }, 'The batch has no "targets" (float32, batch x 2).'],
    [
      'another type',
      { ids: { ...targets, dims: [2, 4] }, targets },
      '"ids": expected int64 (batch, length), got float32 (2, 4).',
    ],
    [
      'another rank',
      { ids, targets: { ...targets, dims: [8] } },
      '"targets": expected float32 (batch, 2), got float32 (8).',
    ],
    [
      'another fixed size',
      { ids, targets: { ...targets, dims: [4, 3] } },
      '"targets": expected float32 (batch, 2), got float32 (4, 3); axis 1 should be 2.',
    ],
    [
      'a named size that another input has otherwise',
      { ids, targets: { ...targets, dims: [5, 2] } },
      '"targets": expected float32 (batch, 2), got float32 (5, 2); axis 0 should be 4.',
    ],
  ])('refuses %s', (_, batch, message) => {
    expect(() => measure(inputs, batch)).toThrow(new ConfigError(message));
  });
});

it('sizeOf evaluates sizes made of names', () => {
  const sizes = new Map([
    ['batch', 3],
    ['length', 5],
  ]);
  const graph = createGraph();
  const x = graph.input('x', 'float32', ['batch', 'length', 4]);
  const [flat] = ops.reshape(x, [-1]).dims;
  const [, longer] = ops.concat([x, ops.slice(x, { axis: 1, start: 1, end: 'length' })], { axis: 1 }).dims;
  expect([sizeOf(7, sizes), sizeOf('length', sizes), sizeOf(flat!, sizes), sizeOf(longer!, sizes)]).toEqual([
    7, 5, 60, 9,
  ]);
  expect(sizeOf('other', sizes)).toBeNaN();
});

describe('planGradients', () => {
  const setUp = (rows: number) => {
    const graph = createGraph();
    const table = graph.input('table', 'float32', [rows, 2]);
    const ids = graph.input('ids', 'int64', ['batch', 'length']);
    return { graph, table, ids };
  };
  const sumOf = (value: Value) => ops.reduceSum(value, { axes: value.dims.map((_, axis) => axis) });

  it.each([2, 1024])(
    'leaves the gradient of a table of %i rows as that of the rows read, where that is asked for',
    (rows) => {
      const { graph, table, ids } = setUp(rows);
      const program = { graph, loss: sumOf(embeddingLookup(table, ids)), parameters: [parameter(table, 2 * rows)] };
      const [byRows] = planGradients(program, { byRows: true });
      expect(byRows).toMatchObject({ lookup: { paddingId: null }, gradient: { dims: ['batch', 'length', 2] } });
      const [whole] = planGradients(program, { byRows: false });
      expect(whole).toMatchObject({ lookup: null, gradient: { dims: [rows, 2] } });
    },
  );

  it.each<[string, number, (table: Value, ids: Value) => Value]>([
    ['read twice', 1024, (table, ids) => ops.add(embeddingLookup(table, ids), embeddingLookup(table, ids))],
    ['read at ids that are computed', 1024, (table, ids) => embeddingLookup(table, ops.neg(ops.neg(ids)))],
  ])('takes the gradient of a whole table that is %s', (_, rows, read) => {
    const { graph, table, ids } = setUp(rows);
    const program = { graph, loss: sumOf(read(table, ids)), parameters: [parameter(table, rows * 2)] };
    expect(planGradients(program, { byRows: true })).toMatchObject([{ lookup: null, gradient: { dims: [rows, 2] } }]);
  });

  it.each<[string, (x: Value, w: Value) => TrainedParameter[], string]>([
    ['no parameters', () => [], 'The program has no parameters to train.'],
    ['too few numbers', (_, w) => [parameter(w, 5)], '"w" (2, 3): expected 6 initial numbers, got 5.'],
    ['a size with a name', (x) => [parameter(x, 6)], `"x" (batch, 2): a parameter's sizes are numbers.`],
    [
      'another name',
      (_, w) => [parameter(w, 6, 'v')],
      'The parameter "v" is no input of this name in the program\'s graph.',
    ],
    ['a parameter twice', (_, w) => [parameter(w, 6), parameter(w, 6)], 'The parameter "w" is listed twice.'],
    [
      'a value that is no input',
      (_, w) => [parameter(ops.neg(w), 6)],
      'The parameter "Neg" is no input of this name in the program\'s graph.',
    ],
  ])('refuses %s', (_, parameters, message) => {
    const graph = createGraph();
    const [x, w] = [graph.input('x', 'float32', ['batch', 2]), graph.input('w', 'float32', [2, 3])];
    const loss = sumOf(ops.gemm(x, w));
    const program = { graph, loss, parameters: parameters(x, w) };
    expect(() => planGradients(program, { byRows: true })).toThrow(new ConfigError(message));
  });

  it('refuses a loss that is no scalar', () => {
    const graph = createGraph();
    const w = graph.input('w', 'float32', [2]);
    const program = { graph, loss: ops.neg(w), parameters: [parameter(w, 2)] };
    expect(() => planGradients(program, { byRows: true })).toThrow(ShapeError);
  });
});
