import { describe, expect, it } from 'vitest';
import { floats, runGraph, sumAll } from '../gradient-check.testing.node.ts';
import { gradients } from '../gradients.ts';
import type { Value } from '../graph.ts';
import * as ops from '../ops.ts';
import { createGraph } from '../table.ts';
import { elementwise } from './elementwise.ts';
import { type OpCase, type OpCases, testOps } from './op-cases.testing.node.ts';
import { erf, mapped, zipped } from './oracles.testing.ts';

type Range = readonly [number, number];
const NUMERIC = 'float32 or float16 or float64 or int32 or int64';

function unary(op: string, build: (x: Value) => Value, f: (x: number) => number, range: Range = [-2.5, 2.5]): OpCases {
  const over = (dims: OpCase['inputs'][number]['dims']): OpCase => ({
    inputs: [{ dims, range }],
    build: ([x]) => build(x!),
    oracle: ([x]) => mapped(x!, f),
  });
  return {
    accepts: { 'a scalar': over([]), 'a vector': over([5]), 'a batch': over(['batch', 'length', 2]) },
    rejects: { [`${op}: expected float32, got int64.`]: (value) => build(value([2], 'int64')) },
  };
}

function binary(
  op: string,
  build: (a: Value, b: Value) => Value,
  f: (a: number, b: number) => number,
  { ranges = [], dtype = 'float32', result = dtype, hasTies = dtype !== 'float32' }: BinaryOptions = {},
): OpCases {
  const values = dtype === 'bool' ? [0, 1, 1, 0, 0] : [3, -7, 2, 2, 5];
  const over = (...shapes: OpCase['inputs'][number]['dims'][]): OpCase => ({
    inputs: shapes.map((dims, at) =>
      hasTies ? { dims, dtype, values: values.slice(at) } : { dims, dtype, range: ranges[at] ?? [-2, 2] },
    ),
    build: ([a, b]) => build(a!, b!),
    oracle: ([a, b]) => zipped([a!, b!], f, result),
  });
  return {
    accepts: {
      'two scalars': over([], []),
      'two vectors': over([4], [4]),
      'a scalar and a vector': over([], [4]),
      'shapes that broadcast both ways': over(['batch', 1, 3], [2, 1]),
      'two batches': over(['batch', 'length'], ['batch', 'length']),
      'a batch and a row': over(['batch', 'length', 3], [3]),
    },
    rejects: {
      [`${op}: (batch, 3) and (batch, 4) do not broadcast.`]: (value) =>
        build(value(['batch', 3], dtype), value(['batch', 4], dtype)),
      [`${op}: element types differ, ${dtype} and int32.`]: (value) => build(value([2], dtype), value([2], 'int32')),
    },
  };
}

interface BinaryOptions {
  readonly ranges?: readonly Range[];
  readonly dtype?: 'float32' | 'int64' | 'bool';
  readonly result?: 'float32' | 'int64' | 'bool';
  /** Some elements equal, in one operand and between the two. */
  readonly hasTies?: boolean;
}

/** The cases of both, named apart. */
function and(cases: OpCases, label: string, more: OpCases['accepts'], rejects: OpCases['rejects'] = {}): OpCases {
  const named = Object.entries(more).map(([name, opCase]) => [`${name} ${label}`, opCase]);
  return {
    accepts: { ...cases.accepts, ...Object.fromEntries(named) },
    rejects: { ...cases.rejects, ...rejects },
  };
}

const integers = { dtype: 'int64' } as const;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Both element types of an arithmetic operation. */
function arithmetic(
  op: string,
  build: (a: Value, b: Value) => Value,
  f: (a: number, b: number) => number,
  options: BinaryOptions = {},
  onIntegers = f,
): OpCases {
  const { accepts } = binary(op, build, onIntegers, integers);
  return and(binary(op, build, f, options), 'of int64', accepts, {
    [`${op}: expected ${NUMERIC}, got bool.`]: (value) => build(value([2], 'bool'), value([2], 'bool')),
  });
}

function comparison(
  op: string,
  build: (a: Value, b: Value) => Value,
  f: (a: number, b: number) => boolean,
  { hasTies = false } = {},
): OpCases {
  const compare = (a: number, b: number) => Number(f(a, b));
  const { accepts } = binary(op, build, compare, { dtype: 'int64', result: 'bool' });
  return and(binary(op, build, compare, { result: 'bool', hasTies }), 'of int64', accepts);
}

function signed(op: string, build: (x: Value) => Value, f: (x: number) => number): OpCases {
  const cases = unary(op, build, f);
  const accepts = {
    ...cases.accepts,
    integers: {
      inputs: [{ dims: [3], dtype: 'int64', values: [-2, 0, 5] }],
      build: ([x]) => build(x!),
      oracle: ([x]) => mapped(x!, (value) => f(value) + 0), // no -0 among integers
    } satisfies OpCase as OpCase,
  };
  return { accepts, rejects: { [`${op}: expected ${NUMERIC}, got bool.`]: (value) => build(value([2], 'bool')) } };
}

testOps(elementwise, {
  Neg: signed('Neg', ops.neg, (x) => -x),
  Abs: signed('Abs', ops.abs, Math.abs),
  Exp: unary('Exp', ops.exp, Math.exp, [-2, 1]),
  Log: unary('Log', ops.log, Math.log, [0.2, 3]),
  Sqrt: unary('Sqrt', ops.sqrt, Math.sqrt, [0.2, 3]),
  Reciprocal: unary('Reciprocal', ops.reciprocal, (x) => 1 / x, [0.4, 3]),
  Erf: unary('Erf', ops.erf, erf),
  Tanh: unary('Tanh', ops.tanh, Math.tanh),
  Sigmoid: unary('Sigmoid', ops.sigmoid, sigmoid),
  Relu: unary('Relu', ops.relu, (x) => Math.max(x, 0)),
  Sin: unary('Sin', ops.sin, Math.sin),
  Cos: unary('Cos', ops.cos, Math.cos),
  Softplus: unary('Softplus', ops.softplus, (x) => Math.log1p(Math.exp(x))),
  Ceil: unary('Ceil', ops.ceil, Math.ceil),
  Gelu: unary('Gelu', ops.gelu, (x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  Identity: { ...unary('Identity', ops.identity, (x) => x), rejects: {} },
  Not: {
    accepts: {
      'a batch': {
        inputs: [{ dims: ['batch', 'length'], dtype: 'bool', values: [1, 0, 0] }],
        build: ([x]) => ops.not(x!),
        oracle: ([x]) => mapped(x!, (value) => 1 - value),
      },
    },
    rejects: { 'Not: expected bool, got float32.': (value) => ops.not(value([2])) },
  },
  Cast: {
    accepts: {
      'float32 to int64, towards zero': {
        inputs: [{ dims: ['batch', 3], values: [1.7, -1.7, 0.5] }],
        build: ([x]) => ops.cast(x!, 'int64'),
        oracle: ([x]) => mapped(x!, Math.trunc, 'int64'),
      },
      'float32 to bool and back': {
        inputs: [{ dims: [3], values: [0, 0.5, -2], dtype: 'float32' }],
        build: ([x]) => ops.cast(ops.cast(x!, 'bool'), 'float32'),
        oracle: ([x]) => mapped(x!, (value) => Number(Math.abs(value) > 1e-3)), // flat around 0 for the differences
      },
      'int64 to float32': {
        inputs: [{ dims: [], dtype: 'int64', values: [-3] }],
        build: ([x]) => ops.cast(x!, 'float32'),
        oracle: ([x]) => mapped(x!, (value) => value, 'float32'),
      },
      'float32 to float64 and back, which passes the gradient': {
        inputs: [{ dims: ['batch', 3] }],
        build: ([x]) => ops.cast(ops.cast(x!, 'float64'), 'float32'),
        oracle: ([x]) => x!,
      },
    },
    rejects: {},
  },
  Add: arithmetic('Add', ops.add, (a, b) => a + b),
  Sub: arithmetic('Sub', ops.sub, (a, b) => a - b),
  Mul: arithmetic('Mul', ops.mul, (a, b) => a * b),
  Div: arithmetic(
    'Div',
    ops.div,
    (a, b) => a / b,
    {
      ranges: [
        [-2, 2],
        [0.5, 2],
      ],
    },
    (a, b) => Math.trunc(a / b) + 0,
  ),
  Pow: {
    accepts: Object.fromEntries(
      [2, 3, 0.5, -1, 0, 1].map((power): [string, OpCase] => [
        `power ${power}`,
        {
          inputs: [{ dims: ['batch', 3], range: [0.4, 2] }],
          build: ([x]) => ops.pow(x!, power),
          oracle: ([x]) => mapped(x!, (value) => value ** power),
        },
      ]),
    ),
    rejects: {
      'Pow: (2) and (3) do not broadcast.': (value) => ops.pow(value([2]), value([3])),
      'Pow: only a constant scalar exponent has a gradient.': (value) => {
        const x = value([2]);
        return gradients(sumAll(ops.pow(x, value([2]))), [x]);
      },
    },
  },
  Equal: comparison('Equal', ops.equal, (a, b) => a === b, { hasTies: true }),
  Less: comparison('Less', ops.less, (a, b) => a < b),
  Greater: comparison('Greater', ops.greater, (a, b) => a > b),
  And: binary('And', ops.and, (a, b) => a * b, { dtype: 'bool' }),
  Where: {
    accepts: {
      'three shapes that broadcast': {
        inputs: [{ dims: ['batch', 1], dtype: 'bool', values: [1, 0] }, { dims: [3] }, { dims: ['length', 1, 1] }],
        build: ([condition, a, b]) => ops.where(condition!, a!, b!),
        oracle: (tensors) => zipped(tensors, (condition, a, b) => (condition ? a! : b!), 'float32'),
      },
      scalars: {
        inputs: [{ dims: [], dtype: 'bool', values: [1] }, { dims: [] }, { dims: [] }],
        build: ([condition, a, b]) => ops.where(condition!, a!, b!),
        oracle: (tensors) => zipped(tensors, (condition, a, b) => (condition ? a! : b!), 'float32'),
      },
      int64: {
        inputs: [
          { dims: [2], dtype: 'bool', values: [1, 0] },
          { dims: ['batch', 2], dtype: 'int64', values: [1, 2, 3] },
          { dims: [], dtype: 'int64', values: [-100] },
        ],
        build: ([condition, a, b]) => ops.where(condition!, a!, b!),
        oracle: (tensors) => zipped(tensors, (condition, a, b) => (condition ? a! : b!), 'int64'),
      },
    },
    rejects: {
      'Where: expected bool, got float32.': (value) => ops.where(value([2]), value([2]), 0),
      'Where: element types differ, int64 and float32.': (value) =>
        ops.where(value([2], 'bool'), value([2], 'int64'), 0),
      'Where: (2) and (3) and () do not broadcast.': (value) => ops.where(value([2], 'bool'), value([3]), 0),
    },
  },
});

describe('gradients at a corner', () => {
  it.each([
    ['Relu', ops.relu],
    ['Abs', ops.abs],
    ['Pow 0', (x: Value) => ops.pow(x, 0)],
    ['Pow 2', (x: Value) => ops.pow(x, 2)],
  ])('%s has gradient 0 at 0, as PyTorch', async (_, build) => {
    const graph = createGraph();
    const x = graph.input('x', 'float32', [1]);
    const [grad] = gradients(sumAll(build(x)), [x]);
    const results = await runGraph(graph, { grad: grad! }, { x: floats([1], [0]) });
    expect(results.grad!.data).toEqual([0]);
  });
});
