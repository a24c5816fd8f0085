import type { Dim } from '../../onnx/model.ts';
import type { Tensor } from '../gradient-check.testing.node.ts';
import { fusedMatMul, gemm, matMul } from '../ops.ts';
import { type OpCase, testOps } from './op-cases.testing.node.ts';
import { mapped, product, transposed, zipped } from './oracles.testing.ts';
import { products } from './products.ts';

type Shape = readonly Dim[];

const shapes: Readonly<Record<string, readonly [Shape, Shape]>> = {
  'two matrices': [
    [2, 3],
    [3, 4],
  ],
  'a batch and a matrix': [
    ['batch', 'length', 3],
    [3, 4],
  ],
  'a matrix and a batch': [
    [2, 3],
    ['batch', 3, 4],
  ],
  'batches with sizes that broadcast': [
    ['batch', 1, 2, 3],
    [2, 3, 4],
  ],
  'batches whose inner size is named': [
    ['batch', 2, 'length'],
    ['batch', 'length', 4],
  ],
};

const flags = [false, true].flatMap((transA) => [false, true].map((transB) => ({ transA, transB })));

function swapped(shape: Shape, flag: boolean): Shape {
  return flag ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
}

function scaled(x: Tensor, factor: number): Tensor {
  return mapped(x, (value) => factor * value);
}

function matMulCases(): Record<string, OpCase> {
  const cases = Object.entries(shapes).map(([name, [a, b]]): [string, OpCase] => [
    name,
    {
      inputs: [{ dims: a }, { dims: b }],
      build: ([x, y]) => matMul(x!, y!),
      oracle: ([x, y]) => product(x!, y!),
    },
  ]);
  return Object.fromEntries(cases);
}

function fusedMatMulCases(): Record<string, OpCase> {
  const cases = Object.entries(shapes).flatMap(([name, [a, b]]) =>
    flags.map(({ transA, transB }): [string, OpCase] => [
      `${name}, ${label(transA, transB)}`,
      {
        inputs: [{ dims: swapped(a, transA) }, { dims: swapped(b, transB) }],
        build: ([x, y]) => fusedMatMul(x!, y!, { transA, transB, alpha: 0.5 }),
        oracle: ([x, y]) => scaled(product(transposed(x!, transA), transposed(y!, transB)), 0.5),
      },
    ]),
  );
  return Object.fromEntries(cases);
}

function label(transA: boolean, transB: boolean): string {
  return `${transA ? 'Aᵀ' : 'A'}${transB ? 'Bᵀ' : 'B'}`;
}

const sums: Readonly<Record<string, Shape | null>> = {
  'no sum': null,
  'a scalar': [],
  'a row': [4],
  'a column': ['batch', 1],
  'a matrix': ['batch', 4],
};

function gemmCases(): Record<string, OpCase> {
  const cases = Object.entries(sums).flatMap(([name, c]) =>
    flags.map(({ transA, transB }): [string, OpCase] => [
      `${label(transA, transB)} and ${name}`,
      {
        inputs: [
          { dims: swapped(['batch', 'length'], transA) },
          { dims: swapped(['length', 4], transB) },
          ...(c ? [{ dims: c }] : []),
        ],
        build: ([x, y, z]) => gemm(x!, y!, z, { transA, transB, alpha: 0.5, beta: -2 }),
        oracle: ([x, y, z]) => {
          const xy = scaled(product(transposed(x!, transA), transposed(y!, transB)), 0.5);
          return z ? zipped([xy, z], (a, b) => a! - 2 * b!, 'float32') : xy;
        },
      },
    ]),
  );
  return Object.fromEntries(cases);
}

testOps(products, {
  MatMul: {
    accepts: matMulCases(),
    rejects: {
      'MatMul: inner sizes differ, (8, 128, 768) x (512, 768): 768 and 512.': (value) =>
        matMul(value([8, 128, 768]), value([512, 768])),
      'MatMul: inner sizes differ, (2, batch) x (length, 2): batch and length.': (value) =>
        matMul(value([2, 'batch']), value(['length', 2])),
      'MatMul: expected matrices, got (3) x (3, 4).': (value) => matMul(value([3]), value([3, 4])),
      'MatMul: (2) and (3) do not broadcast.': (value) => matMul(value([2, 4, 5]), value([3, 5, 4])),
      'MatMul: expected float32, got int64.': (value) => matMul(value([2, 2]), value([2, 2], 'int64')),
    },
  },
  FusedMatMul: {
    accepts: fusedMatMulCases(),
    rejects: {
      'FusedMatMul: inner sizes differ, (2, 3) x (3, 4): 3 and 4.': (value) =>
        fusedMatMul(value([2, 3]), value([3, 4]), { transB: true }),
    },
  },
  Gemm: {
    accepts: gemmCases(),
    rejects: {
      'Gemm: expected two matrices, got (5, 2, 3) x (3, 4).': (value) => gemm(value([5, 2, 3]), value([3, 4])),
      'Gemm: inner sizes differ, (2, 3) x (2, 4): 3 and 2.': (value) => gemm(value([2, 3]), value([2, 4])),
      'Gemm: (3) and (2, 4) do not broadcast.': (value) => gemm(value([2, 3]), value([3, 4]), value([3])),
      'Gemm: (5, 2, 4) does not broadcast to (2, 4).': (value) => gemm(value([2, 3]), value([3, 4]), value([5, 2, 4])),
      'Gemm: expected float32, got int64.': (value) => gemm(value([2, 3]), value([3, 4]), value([4], 'int64')),
    },
  },
});
