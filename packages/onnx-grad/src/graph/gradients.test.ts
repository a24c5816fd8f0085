import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { emitModel } from './emit.ts';
import {
  checkGradient,
  createRandom,
  distance,
  floats,
  makeTensor,
  runGraph,
  sumAll,
} from './gradient-check.testing.node.ts';
import { checkpoint, gradients, pullback } from './gradients.ts';
import type { Graph, Value } from './graph.ts';
import * as ops from './ops.ts';
import { printGraph } from './print.ts';
import { createGraph } from './table.ts';

/** How many nodes of each operation the outputs take, before any rewriting. */
function countNodes(graph: Graph, outputs: readonly Value[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const text = printGraph(graph, new Map(outputs.map((value, at) => [`output${at}`, value])));
  for (const [, op] of text.matchAll(/ = (\w+)\(/g)) counts[op!] = (counts[op!] ?? 0) + 1;
  return counts;
}

describe('gradients', () => {
  it('sums the gradient over broadcast axes, leading ones and those of size 1', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 2, 3]);
    const column = graph.input('column', 'float32', [2, 1]);
    const row = graph.input('row', 'float32', [3]);
    const scalar = graph.input('scalar', 'float32', []);
    const loss = sumAll(ops.add(ops.add(ops.mul(x, column), row), scalar));
    const grads = gradients(loss, [x, column, row, scalar]);
    expect(grads.map(({ dims }) => dims)).toEqual([['batch', 2, 3], [2, 1], [3], []]);
    const feeds = {
      x: floats([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
      column: floats([2, 1], [10, 20]),
      row: floats([3], [0, 0, 0]),
      scalar: floats([], [0]),
    };
    const results = await runGraph(graph, named(grads), feeds);
    expect(Object.values(results).map(({ data }) => data)).toEqual([
      [10, 10, 10, 20, 20, 20, 10, 10, 10, 20, 20, 20],
      [1 + 2 + 3 + 7 + 8 + 9, 4 + 5 + 6 + 10 + 11 + 12],
      [4, 4, 4],
      [12],
    ]);
  });

  it('adds up what flows from several readers, once', async () => {
    const build = (x: Value) => {
      const y = ops.exp(x); // read three times
      return sumAll(ops.mul(ops.mul(y, y), ops.sin(y)));
    };
    const graph = createGraph();
    const x = graph.input('x', 'float32', [3]);
    const [grad] = gradients(build(x), [x]);
    // dy has three terms, so two sums; one product each for y twice, sin, and exp; and one for d(y·y)
    expect(countNodes(graph, [grad!])).toMatchObject({ Add: 2, Exp: 1, Sin: 1, Cos: 1 });
    await checkGradient(([value]) => build(value!), [{ dims: [3], range: [-1, 1] }]);
  });

  it('needs only the nodes between the wanted values and the loss', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 4]);
    const [w1, w2] = [graph.input('w1', 'float32', [4, 5]), graph.input('w2', 'float32', [5, 2])];
    const loss = sumAll(ops.gemm(ops.tanh(ops.gemm(x, w1)), w2));
    const [gradW2] = gradients(loss, [w2]);
    const [gradW1] = gradients(loss, [w1]);
    // back to w2: one product; back to w1: through tanh, two
    expect(countNodes(graph, [gradW2!])).toEqual({ Gemm: 2, Tanh: 1, Reshape: 1, Expand: 1 });
    expect(countNodes(graph, [gradW1!])).toEqual({ Gemm: 3, Tanh: 1, Reshape: 1, Expand: 1, Mul: 2, Sub: 1 });
  });

  it('gives zeros where the loss does not depend on a value', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 2]);
    const other = graph.input('other', 'float32', ['batch', 3]);
    const compared = graph.input('compared', 'float32', ['batch', 2]);
    const loss = sumAll(ops.where(ops.greater(compared, 0), x, 0));
    const results = await runGraph(graph, named(gradients(loss, [other, compared])), {
      x: floats([2, 2], [1, 2, 3, 4]),
      other: floats([2, 3], [1, 2, 3, 4, 5, 6]),
      compared: floats([2, 2], [1, 2, 3, 4]),
    });
    expect(results.grad0).toEqual(floats([2, 3], [0, 0, 0, 0, 0, 0]));
    expect(results.grad1).toEqual(floats([2, 2], [0, 0, 0, 0]));
  });

  it('gives the loss itself gradient 1, and a value wanted twice the same gradient', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', []);
    const loss = ops.mul(x, 3);
    const [one, three, again] = gradients(loss, [loss, x, x]);
    expect(again).toBe(three);
    const results = await runGraph(graph, { one: one!, three: three! }, { x: floats([], [5]) });
    expect([results.one!.data, results.three!.data]).toEqual([[1], [3]]);
  });

  it('gives the gradient of a value between inputs and loss', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [2]);
    const hidden = ops.mul(x, x);
    const [gradHidden, gradX] = gradients(sumAll(ops.mul(hidden, hidden)), [hidden, x]);
    expect(countNodes(graph, [gradHidden!, gradX!]).Add).toBe(2); // one for each, though hidden's is used twice
    const results = await runGraph(graph, { gradHidden: gradHidden!, gradX: gradX! }, { x: floats([2], [1, 2]) });
    expect([results.gradHidden!.data, results.gradX!.data]).toEqual([
      [2, 8],
      [4, 32],
    ]);
  });

  it('differentiates its own result: x⁴ gives 4x³, 12x² and 24x', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [2]);
    const first = gradients(sumAll(ops.pow(x, 4)), [x])[0]!;
    const second = gradients(sumAll(first), [x])[0]!;
    const third = gradients(sumAll(second), [x])[0]!;
    const results = await runGraph(graph, { first, second, third }, { x: floats([2], [2, -1]) });
    expect(Object.values(results).map(({ data }) => data)).toEqual([
      [32, -4],
      [48, 12],
      [48, -24],
    ]);
  });

  it('reads as the formulas of a linear layer with Gelu', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 4]);
    const weight = graph.input('weight', 'float32', [3, 4]);
    const bias = graph.input('bias', 'float32', [3]);
    const loss = sumAll(ops.gelu(ops.gemm(x, weight, bias, { transB: true })));
    const [gradWeight, gradBias] = gradients(loss, [weight, bias]);
    const outputs = new Map([
      ['loss', loss],
      ['grad:weight', gradWeight!],
      ['grad:bias', gradBias!],
    ]);
    expect(printGraph(graph, outputs)).toMatchInlineSnapshot(`
      "x: float32 (batch, 4)
      weight: float32 (3, 4)
      bias: float32 (3)
      %0 = Gemm(x, weight, bias) {transB} : float32 (batch, 3)
      %1 = Gelu(%0) : float32 (batch, 3)
      %2 = ReduceSum(%1) {axes: (0, 1)} : float32 ()
      %3 = Reshape(1) {shape: (1, 1)} : float32 (1, 1)
      %4 = Expand(%3) {shape: (batch, 3)} : float32 (batch, 3)
      %5 = Mul(%0, 0.707107) : float32 (batch, 3)
      %6 = Mul(%5, %5) : float32 (batch, 3)
      %7 = Sub(0.120782, %6) : float32 (batch, 3)
      %8 = Exp(%7) : float32 (batch, 3)
      %9 = Mul(%5, %8) : float32 (batch, 3)
      %10 = Mul(%4, 0.5) : float32 (batch, 3)
      %11 = Erf(%5) : float32 (batch, 3)
      %12 = Add(%11, 1) : float32 (batch, 3)
      %13 = Add(%12, %9) : float32 (batch, 3)
      %14 = Mul(%10, %13) : float32 (batch, 3)
      %15 = Gemm(%14, x) {transA, alpha: 1} : float32 (3, 4)
      %16 = ReduceSum(%14) {axes: (0)} : float32 (3)
      loss = %2
      grad:weight = %15
      grad:bias = %16"
    `);
  });
});

describe('what gradients refuses', () => {
  it.each<[string, (graph: Graph, x: Value) => unknown]>([
    ['gradients: the loss must be a float32 scalar, got float32 (2).', (_, x) => gradients(x, [x])],
    ['gradients: the loss must be a float32 scalar, got int64 ().', (_, x) => gradients(ops.size(x), [x])],
    [
      'gradients: "y" is of another graph than the loss.',
      (_, x) => gradients(sumAll(x), [createGraph().input('y', 'float32', [2])]),
    ],
    [
      'gradients: "ids" is int64, expected float32.',
      (graph, x) => gradients(sumAll(x), [graph.input('ids', 'int64', [2])]),
    ],
    [
      'LayerNormalization: only its first output has a gradient, one flows into "LayerNormalization_1".',
      (_, x) => gradients(sumAll(ops.layerNormalization(x, x, x).mean), [x]),
    ],
    [
      'LayerNormalization: only its first output has a gradient, one flows into "LayerNormalization_2".',
      (_, x) => {
        const { output, inverseDeviation } = ops.layerNormalization(x, x, x);
        return gradients(ops.add(sumAll(output), sumAll(inverseDeviation)), [x]);
      },
    ],
  ])('%s', (message, build) => {
    const graph = createGraph();
    expect(() => build(graph, graph.input('x', 'float32', [2]))).toThrow(new ShapeError(message));
  });
});

describe('pullback', () => {
  it('takes the wanted values as independent of each other', async () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', []);
    const hidden = ops.mul(x, 10);
    const flowing = graph.input('flowing', 'float32', []);
    const [gradX, gradHidden] = pullback([ops.add(hidden, x)], [flowing], [x, hidden]);
    const results = await runGraph(
      graph,
      { gradX: gradX!, gradHidden: gradHidden! },
      { x: floats([], [1]), flowing: floats([], [7]) },
    );
    expect([results.gradX!.data, results.gradHidden!.data]).toEqual([[7], [7]]);
  });

  it('gives null where nothing flows', () => {
    const graph = createGraph();
    const [x, y] = [graph.input('x', 'float32', []), graph.input('y', 'float32', [])];
    expect(pullback([ops.exp(x), ops.exp(y)], [null, null], [x])).toEqual([null]);
    expect(pullback([ops.exp(x)], [graph.constant(1)], [y])).toEqual([null]);
  });
});

type Block = (inputs: readonly Value[]) => Value;
type Wrap = (inputs: readonly Value[], body: Block) => Value;

const unbroken: Wrap = (inputs, body) => body(inputs);

/** Losses made of blocks that may forget their inner values. Each gets x (batch, 4), weight (4, 4) and bias (4). */
const networks: Record<string, (wrap: Wrap, x: Value, weight: Value, bias: Value) => Value> = {
  'a chain of blocks': (wrap, x, weight, bias) => {
    const block: Block = ([value]) => ops.tanh(ops.gemm(value!, weight, bias));
    return wrap([wrap([x], block)], block);
  },
  'a block of two arguments': (wrap, x, weight, bias) =>
    wrap([x, ops.gemm(x, weight)], ([a, b]) => ops.mul(ops.sin(a!), ops.add(b!, bias))),
  'a block given the same value twice': (wrap, x) => wrap([x, x], ([a, b]) => ops.mul(ops.sin(a!), ops.exp(b!))),
  'a block that also reads its argument from outside': (wrap, x, weight) =>
    wrap([x], ([value]) => ops.mul(ops.tanh(ops.gemm(value!, weight)), ops.sin(x))),
  'a block that uses values computed outside': (wrap, x, weight, bias) => {
    const hidden = ops.sin(ops.gemm(x, weight));
    const gate = ops.sigmoid(ops.add(hidden, bias));
    return wrap([hidden], ([value]) => ops.mul(ops.tanh(value!), ops.mul(gate, ops.exp(bias))));
  },
  'a block within a block': (wrap, x, weight, bias) =>
    wrap([x], ([outer]) => {
      const inner = wrap([ops.sin(outer!)], ([value]) => ops.tanh(ops.gemm(value!, weight, bias)));
      return ops.mul(inner, ops.add(outer!, bias));
    }),
  'a block that gives back its argument': (wrap, x, weight) =>
    ops.gemm(
      wrap([x], ([value]) => value!),
      weight,
    ),
};

describe('checkpoint', () => {
  const random = createRandom(1);
  const feeds = {
    x: makeTensor({ dims: [3, 4] }, random),
    weight: makeTensor({ dims: [4, 4] }, random),
    bias: makeTensor({ dims: [4] }, random),
  };
  const build = (name: string, wrap: Wrap) => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['batch', 4]);
    const weight = graph.input('weight', 'float32', [4, 4]);
    const bias = graph.input('bias', 'float32', [4]);
    const loss = sumAll(ops.tanh(networks[name]!(wrap, x, weight, bias)));
    return { graph, outputs: { loss, ...named(gradients(loss, [x, weight, bias])) } };
  };

  it.each(Object.keys(networks))('gives the same gradients for %s', async (name) => {
    const [plain, forgetful] = [build(name, unbroken), build(name, checkpoint)];
    const expected = await runGraph(plain.graph, plain.outputs, feeds);
    const found = await runGraph(forgetful.graph, forgetful.outputs, feeds);
    for (const key of Object.keys(expected)) expect(distance(found[key]!, expected[key]!)).toBeLessThan(1e-6);
  });

  it('computes inner values again, after the gradient of the result is there', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', ['n']);
    const y = checkpoint([x], ([value]) => ops.exp(ops.sin(value!)));
    const [grad] = gradients(sumAll(y), [x]);
    expect(printGraph(graph, new Map([['grad', grad!]]))).toMatchInlineSnapshot(`
      "x: float32 (n)
      %0 = Reshape(1) {shape: (1)} : float32 (1)
      %1 = Expand(%0) {shape: (n)} : float32 (n)
      %2 = Size(%1) : int64 ()
      %3 = Shape(x) : int64 (1)
      %4 = Sub(%2, %2) : int64 ()
      %5 = Add(%3, %4) : int64 (1)
      %6 = ReshapeTo(x, %5) : float32 (n)
      %7 = Sin(%6) : float32 (n)
      %8 = Exp(%7) : float32 (n)
      %9 = Mul(%1, %8) : float32 (n)
      %10 = Cos(%6) : float32 (n)
      %11 = Mul(%9, %10) : float32 (n)
      grad = %11"
    `);
  });

  it('costs one more forward pass of the block, and none without a gradient', () => {
    const count = (wrap: Wrap, wanted: 'loss' | 'all') => {
      const { graph, outputs } = build('a chain of blocks', wrap);
      return countNodes(graph, wanted === 'loss' ? [outputs.loss] : Object.values(outputs)).Tanh;
    };
    expect(count(unbroken, 'all')).toBe(3);
    expect(count(checkpoint, 'all')).toBe(5);
    expect(count(checkpoint, 'loss')).toBe(3);
  });

  it('refuses to give a gradient to what it forgot', () => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [2]);
    let inner: Value | undefined;
    const y = checkpoint([x], ([value]) => {
      inner ??= ops.sin(value!);
      return ops.exp(ops.sin(value!));
    });
    const message = new ShapeError('checkpoint: "Sin" is inside it and has no gradient of its own.');
    expect(() => gradients(ops.add(sumAll(y), sumAll(inner!)), [x])).toThrow(message);
    expect(() => gradients(sumAll(y), [inner!])).toThrow(message);
  });

  it('refuses a result made outside of it', () => {
    const graph = createGraph();
    const [x, y] = [graph.input('x', 'float32', [2]), graph.input('y', 'float32', [2])];
    const ignore: Block = ([value]) => {
      ops.exp(value!);
      return y;
    };
    expect(() => checkpoint([x], ignore)).toThrow(
      new ShapeError('checkpoint: its result is made outside of it, expected one of its own values.'),
    );
  });

  it('emits models that pass the graph check with every network', () => {
    for (const name of Object.keys(networks)) {
      const { graph, outputs } = build(name, checkpoint);
      expect(emitModel(graph, new Map(Object.entries(outputs))).graph.outputs).toHaveLength(4);
    }
  });
});

function named(grads: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(grads.map((grad, at) => [`grad${at}`, grad]));
}
