import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { expectType, scalarOf } from './graph.ts';
import { add, concat, exp, mul } from './ops.ts';
import { createGraph } from './table.ts';

describe('Graph', () => {
  it('makes equal constants once, by type, shape and bits', () => {
    const graph = createGraph();
    expect(graph.constant(1)).toBe(graph.constant(1));
    expect(graph.constant(Float32Array.of(1, 2), [2])).toBe(graph.constant(Float32Array.of(1, 2), [2]));
    expect(graph.constant(1)).not.toBe(graph.constant(Float32Array.of(1), [1]));
    expect(graph.integers([0], [])).not.toBe(graph.constant(0));
    expect(graph.constant(0)).not.toBe(graph.constant(-0));
    expect(graph.integers([1, 2])).toBe(graph.integers([1, 2]));
    expect(graph.integers([1, 2])).not.toBe(graph.integers([1, 2], [2, 1]));
  });

  it('keeps the names of inputs and names its own values around them', () => {
    const graph = createGraph();
    const x = graph.input('Exp_1', 'float32', []);
    const constant = graph.input('constant', 'float32', []);
    const names = [exp(x), exp(x), exp(constant), graph.constant(5)].map(({ name }) => name);
    expect([x.name, constant.name]).toEqual(['Exp_1', 'constant']);
    expect(new Set([...names, 'Exp_1', 'constant']).size).toBe(6);
    expect(() => graph.input('Exp', 'float32', [])).toThrow(
      new ShapeError('input "Exp": a node or constant has this name already.'),
    );
  });

  it.each<[string, (graph: ReturnType<typeof createGraph>) => unknown]>([
    ['input "x" exists already, with shape (batch, 2).', (graph) => graph.input('x', 'float32', [])],
    [
      'input "y": "seq-len" in (seq-len) is not a size, expected "-len+seq".',
      (graph) => graph.input('y', 'float32', ['seq-len']),
    ],
    [
      'input "y": "" in (, 3) is not a size, expected a whole number or a name.',
      (graph) => graph.input('y', 'float32', ['', 3]),
    ],
    ['constant: shape (3) holds 3 elements, got 2.', (graph) => graph.constant(Float32Array.of(1, 2), [3])],
    [
      'Add: input "other" is of another graph.',
      (graph) => add(graph.inputs[0]!, createGraph().input('other', 'float32', [])),
    ],
  ])('refuses: %s', (message, build) => {
    const graph = createGraph();
    graph.input('x', 'float32', ['batch', 2]);
    expect(() => build(graph)).toThrow(new ShapeError(message));
  });

  it('adds no node for an operation it refuses', () => {
    const graph = createGraph();
    const [a, b] = [graph.input('a', 'float32', [2]), graph.input('b', 'float32', [3])];
    expect(() => mul(a, b)).toThrow(ShapeError);
    expect(() => concat([a, b], { axis: 3 })).toThrow(ShapeError);
    expect(graph.nodes).toEqual([]);
  });
});

describe('scalarOf', () => {
  it('is the number of a float32 scalar constant and of nothing else', () => {
    const graph = createGraph();
    expect(scalarOf(graph.constant(0.5))).toBe(0.5);
    expect(scalarOf(graph.constant(0.1))).toBe(Math.fround(0.1));
    expect(scalarOf(graph.constant(Float32Array.of(1), [1]))).toBeNull();
    expect(scalarOf(graph.integers([1], []))).toBeNull();
    expect(scalarOf(graph.input('x', 'float32', []))).toBeNull();
    expect(scalarOf(undefined)).toBeNull();
  });
});

describe('expectType', () => {
  it('names what it expected and what it got', () => {
    const x = createGraph().input('x', 'int64', ['batch']);
    expectType('labels', x, 'int64', ['batch']);
    expect(() => expectType('labels', x, 'int64', ['batch', 2])).toThrow(
      new ShapeError('labels: expected int64 (batch, 2), got int64 (batch).'),
    );
  });
});
