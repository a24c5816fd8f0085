import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import type { Dim } from '../onnx/model.ts';
import { addDims, ceilDivide, exceeds, mulDims, subDims } from './dims.ts';
import { type EmitOptions, emitModel } from './emit.ts';
import { compileModel, floats, runGraph, type Tensor } from './gradient-check.testing.node.ts';
import type { Graph, Value } from './graph.ts';
import * as ops from './ops.ts';
import { createGraph } from './table.ts';

function emit(graph: Graph, outputs: Readonly<Record<string, Value>>, options?: EmitOptions) {
  const { nodes, inputs, initializers, ...rest } = emitModel(graph, new Map(Object.entries(outputs)), options).graph;
  return {
    ...rest,
    ops: nodes.map(({ opType }) => opType),
    inputs: inputs.map(({ name }) => name),
    initializers: initializers.map(({ name }) => name),
  };
}

function integers(dims: readonly number[], data: readonly number[]): Tensor {
  return { dtype: 'int64', dims, data };
}

describe('emitModel', () => {
  it('writes what the outputs need and nothing else', () => {
    const graph = createGraph();
    const [x, y] = [graph.input('x', 'float32', ['n']), graph.input('y', 'float32', ['n'])];
    const wanted = ops.mul(ops.exp(x), 2);
    ops.add(ops.sin(y), 3);
    expect(emit(graph, { wanted })).toEqual({
      name: 'graph',
      ops: ['Exp', 'Mul'],
      inputs: ['x'],
      initializers: ['constant'],
      outputs: [{ name: 'wanted', dtype: 'float32', dims: ['n'] }],
    });
  });

  it('stores inputs as initializers when given their bytes', async () => {
    const graph = createGraph();
    const [x, weight] = [graph.input('x', 'float32', [2]), graph.input('weight', 'float32', [2])];
    const initializers = new Map([
      ['weight', new Uint8Array(Float32Array.of(3, 4).buffer)],
      ['unused', new Uint8Array(4)],
    ]);
    const outputs = { y: ops.mul(x, weight) };
    expect(emit(graph, outputs, { initializers })).toMatchObject({ inputs: ['x'], initializers: ['weight'] });
    const run = await compileModel(emitModel(graph, new Map(Object.entries(outputs)), { initializers }));
    expect((await run({ x: floats([2], [1, 10]) })).y!.data).toEqual([3, 40]);
  });

  it('carries its name and metadata', () => {
    const graph = createGraph();
    const outputs = new Map([['y', ops.exp(graph.input('x', 'float32', []))]]);
    const model = emitModel(graph, outputs, { name: 'bert', metadata: { step: '7' } });
    expect(model).toMatchObject({ metadata: { step: '7' }, opsets: { '': 20, 'com.microsoft': 1 }, irVersion: 9 });
    expect(model.graph.name).toBe('bert');
  });

  it('gives out one value by several names, an input, a constant and what other nodes read', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', []);
    const inner = ops.exp(x);
    const results = await runGraph(
      graph,
      { inner, again: inner, outer: ops.neg(inner), same: x, seven: graph.constant(7), sizes: ops.shapeOf(x) },
      { x: floats([], [0]) },
    );
    expect(Object.entries(results).map(([name, { data }]) => [name, ...data])).toEqual([
      ['inner', 1],
      ['again', 1],
      ['outer', -1],
      ['same', 0],
      ['seven', 7],
      ['sizes'],
    ]);
  });

  it('keeps apart an output and another value that was named the same', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', []);
    const [one, two] = [ops.exp(x), ops.neg(ops.exp(ops.neg(x)))]; // named Exp, Neg_1
    const results = await runGraph(
      graph,
      { Exp: ops.add(one, two), constant: ops.add(two, 5) },
      { x: floats([], [0]) },
    );
    expect([results.Exp!.data, results.constant!.data]).toEqual([[0], [4]]);
  });

  it('writes what nothing else reads at the end, the later first, when asked to finish outputs early', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['n']);
    const outputs = { first: ops.sin(x), second: ops.cos(x), third: ops.neg(ops.exp(x)), fourth: ops.tanh(x) };
    expect(emit(graph, outputs).ops).toEqual(['Sin', 'Cos', 'Exp', 'Neg', 'Tanh']);
    expect(emit(graph, outputs, { finishesEarly: true }).ops).toEqual(['Exp', 'Tanh', 'Neg', 'Cos', 'Sin']);
  });

  it('refuses an output with the name of an input', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', []);
    expect(() => emit(graph, { x: ops.exp(x) })).toThrow(new ShapeError('output "x": an input has this name already.'));
  });
});

describe('sizes known only at run time', () => {
  it('are computed from the inputs, each once', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 'length']);
    const outputs = {
      positions: ops.range(graph, { start: '-length+1', limit: 'length' }),
      zeros: ops.zeros(graph, ['2*length-1', 'batch*length']),
      more: ops.zeros(graph, ['batch*length', '2*length-1']),
      first: ops.slice(x, { axis: 1, end: 'length-1' }),
    };
    expect(emit(graph, outputs).ops.filter((op) => op === 'Gather')).toHaveLength(2); // batch and length
    for (const [batch, length] of [
      [2, 3],
      [1, 1],
      [3, 8],
    ] as const) {
      const data = Array.from({ length: batch * length }, (_, at) => at);
      const results = await runGraph(graph, outputs, { x: floats([batch, length], data) });
      expect(results.positions!.data).toEqual(Array.from({ length: 2 * length - 1 }, (_, at) => at - length + 1));
      expect(results.zeros!.dims).toEqual([2 * length - 1, batch * length]);
      expect(results.more!.dims).toEqual([batch * length, 2 * length - 1]);
      expect(results.first!.dims).toEqual([batch, length - 1]);
    }
  });

  it('come from inputs that are read anyway, rather than from others', () => {
    const graph = createGraph();
    graph.input('labels', 'int64', ['batch']);
    const x = graph.input('x', 'float32', ['batch', 2]);
    const y = ops.concat([x, ops.zeros(graph, ['batch', 3])], { axis: 1 });
    expect(emit(graph, { y }).inputs).toEqual(['x']);
    expect(emit(graph, { zeros: ops.zeros(graph, ['batch', 3]) }).inputs).toEqual(['labels']);
  });

  it('leave a reshape one size to infer and need no input then', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 'length', 4]);
    expect(emit(graph, { y: ops.reshape(x, ['batch*length', 4]) }).ops).toEqual(['Reshape']);
    expect(emit(graph, { y: ops.reshape(x, ['length', 'batch', 4]) }).ops).toContain('Concat');
  });

  it('may depend on a length by pieces: one block as long as the text up to a limit, then blocks of two', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 'length']);
    const isLong = exceeds('length', 4);
    const choose = (short: Dim, long: Dim) => addDims(short, mulDims(isLong, subDims(long, short)));
    const [blocks, block] = [choose(1, ceilDivide('length', 2)), choose('length', 2)];
    const after = subDims(mulDims(blocks, block), 'length');
    const padded = ops.pad(x, { before: [0, 0], after: [0, after] });
    const rest = ops.slice(padded, { axis: 1, end: mulDims(isLong, 2) }); // nothing, up to the limit
    const outputs = {
      blocked: ops.reshape(padded, ['batch', blocks, block]),
      rest: ops.reshape(rest, ['batch', mulDims(isLong, 2), 1]),
    };
    for (const [length, shape, some] of [
      [3, [2, 1, 3], 0],
      [4, [2, 1, 4], 0],
      [5, [2, 3, 2], 2],
      [6, [2, 3, 2], 2],
    ] as const) {
      const { blocked, rest: found } = await runGraph(graph, outputs, {
        x: floats([2, length], new Array<number>(2 * length).fill(1)),
      });
      expect(blocked!.dims).toEqual(shape);
      expect(blocked!.data.reduce((sum, value) => sum + value)).toBe(2 * length);
      expect(found!.dims).toEqual([2, some, 1]);
    }
  });

  it('are refused when no input has them', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['2*length']);
    const outputs = { y: ops.expand(ops.reshape(x, [1, '2*length']), ['length', '2*length']) };
    expect(() => emit(graph, outputs)).toThrow(
      new ShapeError('The size "length" is not among the graph\'s inputs, so it is unknown when the graph runs.'),
    );
  });

  it('may be zero: an empty batch gives an empty result', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 4]);
    const ids = graph.input('ids', 'int64', ['batch']);
    const outputs = {
      product: ops.gemm(x, graph.constant(new Float32Array(8).fill(1), [4, 2])),
      rows: ops.gather(x, ids),
      split: ops.reshape(x, ['batch', 2, 2]),
      sum: ops.reduceSum(x, { axes: [0] }),
    };
    const results = await runGraph(graph, outputs, { x: floats([0, 4], []), ids: integers([0], []) });
    expect(Object.values(results).map(({ dims }) => dims)).toEqual([[0, 2], [0, 4], [0, 2, 2], [4]]);
    expect(results.sum!.data).toEqual([0, 0, 0, 0]);
  });
});
