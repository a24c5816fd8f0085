import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitModel } from './emit.ts';
import { createRandom, distance, makeTensor, runGraph, tolerances } from './gradient-check.testing.node.ts';
import type { Graph, Value } from './graph.ts';
import * as ops from './ops.ts';
import { createGraph } from './table.ts';

const N = 3;
const random = createRandom(5);
const feeds = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, makeTensor({ dims: [N, N] }, random)]));

interface Built {
  readonly graph: Graph;
  readonly result: Value;
}

function build(make: (a: Value, b: Value, c: Value) => Value): Built {
  const graph = createGraph();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => graph.input(name, 'float32', [N, N])) as [Value, Value, Value];
  return { graph, result: make(a, b, c) };
}

function emittedOps(graph: Graph, outputs: Readonly<Record<string, Value>>): string[] {
  return emitModel(graph, new Map(Object.entries(outputs))).graph.nodes.map(({ opType }) => opType);
}

/** Every value made is an output, so that nothing can be rewritten. */
function everyValue({ graph, result }: Built): Record<string, Value> {
  const values = graph.nodes.flatMap((node) => node.outputs).filter((value) => value !== result);
  return { ...Object.fromEntries(values.map((value, at) => [`kept${at}`, value])), result };
}

async function expectSameNumbers(built: Built): Promise<void> {
  const fused = await runGraph(built.graph, { result: built.result }, feeds);
  const plain = await runGraph(built.graph, everyValue(built), feeds);
  const largest = Math.max(1, ...plain.result!.data.map(Math.abs));
  expect(distance(fused.result!, plain.result!)).toBeLessThan(tolerances.float32.value * largest);
}

describe('fuse', () => {
  it.each<[string, Parameters<typeof build>[0], string[]]>([
    ['a scale of a product', (a, b) => ops.mul(ops.gemm(a, b), 3), ['Gemm']],
    [
      'a scale before a product',
      (a, b) => ops.mul(3, ops.fusedMatMul(a, b, { alpha: 2, transB: true })),
      ['FusedMatMul'],
    ],
    ['a scale of a product and its sum', (a, b, c) => ops.mul(ops.gemm(a, b, c, { beta: 2 }), 3), ['Gemm']],
    ['a scaled left factor', (a, b) => ops.gemm(ops.mul(a, 3), b, null, { transA: true }), ['Gemm']],
    ['a scaled right factor', (a, b) => ops.fusedMatMul(a, ops.mul(b, 3)), ['FusedMatMul']],
    ['both factors scaled', (a, b) => ops.gemm(ops.mul(a, 3), ops.mul(0.5, b)), ['Gemm']],
    ['one scaled value as both factors', (a) => ops.gemm(tripled(a), tripled(a)), ['Gemm']],
    [
      'a scaled value as both factors of a product',
      (a) => {
        const scaled = ops.mul(a, 3);
        return ops.gemm(scaled, scaled);
      },
      ['Gemm'],
    ],
    ['a sum with a product', (a, b, c) => ops.add(ops.gemm(a, b, null, { alpha: 2 }), c), ['Gemm']],
    ['a sum with a product on the right', (a, b, c) => ops.add(c, ops.gemm(a, b)), ['Gemm']],
    [
      'a sum with a product whose beta had no meaning',
      (a, b, c) => ops.add(ops.gemm(a, b, null, { beta: 5 }), c),
      ['Gemm'],
    ],
    ['a sum of two products', (a, b, c) => ops.add(ops.gemm(a, b), ops.gemm(b, c)), ['Gemm', 'Gemm']],
    [
      'a sum of three products',
      (a, b, c) => ops.add(ops.add(ops.gemm(a, b), ops.gemm(b, c)), ops.gemm(a, c)),
      ['Gemm', 'Gemm', 'Gemm'],
    ],
    ['a scaled product plus a value', (a, b, c) => ops.add(ops.mul(ops.gemm(a, b), 3), c), ['Gemm']],
  ])('makes one product of %s, with the same numbers', async (_, make, expected) => {
    const built = build(make);
    expect(emittedOps(built.graph, { result: built.result })).toEqual(expected);
    await expectSameNumbers(built);
  });

  it.each<[string, Parameters<typeof build>[0]]>([
    ['a scale that is not a scalar', (a, b) => ops.mul(ops.gemm(a, b), constant(a, [1, 1], [3]))],
    ['a scale that is a value', (a, b, c) => ops.mul(ops.gemm(a, b), ops.reduceSum(c, { axes: [0, 1] }))],
    [
      'a scaled product that something else reads',
      (a, b) => {
        const product = ops.gemm(a, b);
        return ops.sub(ops.mul(product, 3), product);
      },
    ],
    [
      'a scaled factor that something else reads',
      (a, b) => {
        const scaled = ops.mul(a, 3);
        return ops.sub(ops.gemm(scaled, b), scaled);
      },
    ],
    ['a scaled value that is summed, not multiplied', (a, b, c) => ops.gemm(a, b, ops.mul(c, 3))],
    ['a sum that is broadcast', (a, b, c) => ops.add(ops.gemm(a, b), ops.reduceSum(c, { axes: [0] }))],
    [
      'a sum of a product with itself',
      (a, b) => {
        const product = ops.gemm(a, b);
        return ops.add(product, product);
      },
    ],
    ['a sum of a product that has one already', (a, b, c) => ops.add(ops.gemm(a, b, a), c)],
    ['a scaled product of another kind', (a, b) => ops.mul(ops.matMul(a, b), 3)],
  ])('leaves %s', async (_, make) => {
    const built = build(make);
    expect(emittedOps(built.graph, { result: built.result })).toEqual(built.graph.nodes.map(({ op }) => op));
    await expectSameNumbers(built);
  });

  it('keeps values that are outputs themselves', async () => {
    const built = build((a, b, c) => ops.add(ops.mul(ops.gemm(ops.mul(a, 2), b), 3), c));
    expect(emittedOps(built.graph, { result: built.result })).toEqual(['Gemm']);
    expect(emittedOps(built.graph, everyValue(built))).toEqual(['Mul', 'Gemm', 'Mul', 'Add']);
  });

  it('leaves the numbers of any graph of products, scales and sums as they were', async () => {
    const step = fc.record({
      kind: fc.constantFrom('gemm', 'gemmSum', 'fusedMatMul', 'scale', 'add'),
      at: fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
      factor: fc.constantFrom(-1, 0.5, 0.25),
      transA: fc.boolean(),
      transB: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 9 }), async (steps) => {
        const built = build((...inputs) => {
          const values: Value[] = [...inputs];
          for (const { kind, at, factor, transA, transB } of steps) {
            const [x, y, z] = at.map((index) => values[values.length - 1 - (index % values.length)]!) as [
              Value,
              Value,
              Value,
            ];
            const options = { transA, transB, alpha: 0.5 };
            values.push(
              {
                gemm: () => ops.gemm(x, y, null, { ...options, beta: factor }),
                gemmSum: () => ops.gemm(x, y, z, { ...options, beta: factor }),
                fusedMatMul: () => ops.fusedMatMul(x, y, options),
                scale: () => ops.mul(x, factor),
                add: () => ops.add(x, y),
              }[kind](),
            );
          }
          return values.at(-1)!;
        });
        await expectSameNumbers(built);
      }),
      { numRuns: 100 },
    );
  });
});

function tripled(a: Value): Value {
  return ops.mul(a, 3);
}

function constant({ graph }: Value, dims: readonly number[], data: readonly number[]): Value {
  return graph.constant(Float32Array.from(data), dims);
}
