import { expect, it } from 'vitest';
import type { Dim } from '../../onnx/model.ts';
import { floats, type InputSpec, runGraph, sumAll, type Tensor } from '../gradient-check.testing.node.ts';
import { gradients } from '../gradients.ts';
import type { Value } from '../graph.ts';
import {
  cumSum,
  layerNormalization,
  logSoftmax,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  simplifiedLayerNormalization,
  softmax,
} from '../ops.ts';
import { createGraph } from '../table.ts';
import { type OpCase, type OpCases, testOps } from './op-cases.testing.node.ts';
import { at, fill, mapped, mean, reduced, sum, sumOfExp, zipped } from './oracles.testing.ts';
import { reductions } from './reductions.ts';

type Reduce = (x: Value, options: { axes: readonly number[]; keepdims?: boolean }) => Value;
type Combine = (group: number[]) => number;

function reductionCases(op: string, build: Reduce, combine: Combine, dtypes: string): OpCases {
  const over = (dims: readonly Dim[], axes: readonly number[], keepdims = false): OpCase => ({
    inputs: [{ dims }],
    build: ([x]) => build(x!, { axes, keepdims }),
    oracle: ([x]) => reduced(x!, axes, keepdims, combine),
  });
  return {
    accepts: {
      'a scalar over no axes': over([], []),
      'a vector': over([5], [0]),
      'a matrix over no axes': over([2, 3], []),
      'the last axis of a batch': over(['batch', 'length', 4], [-1]),
      'the last axis of a batch, kept': over(['batch', 'length', 4], [-1], true),
      'named axes of a batch': over(['batch', 'length', 4], [0, 1]),
      'a named axis of a batch, kept': over(['batch', 'length', 4], [1], true),
      'every axis': over(['batch', 'length', 2], [0, 1, 2]),
    },
    rejects: {
      [`${op}: axis 2 is outside a tensor of rank 2.`]: (value) => build(value([2, 3]), { axes: [2] }),
      [`${op}: axes (1, -1) name an axis twice.`]: (value) => build(value([2, 3]), { axes: [1, -1] }),
      [`${op}: expected ${dtypes}, got bool.`]: (value) => build(value([2, 3], 'bool'), { axes: [1] }),
    },
  };
}

function onIntegers(cases: OpCases, build: Reduce, combine: Combine): OpCases {
  const integers: OpCase = {
    inputs: [{ dims: ['batch', 3], dtype: 'int64', values: [3, -1, 4, 1] }],
    build: ([x]) => build(x!, { axes: [1] }),
    oracle: ([x]) => reduced(x!, [1], false, combine),
  };
  return { ...cases, accepts: { ...cases.accepts, integers } };
}

function cumSumCase(dims: readonly Dim[], axis: number, reverse = false, spec: Partial<InputSpec> = {}): OpCase {
  return {
    inputs: [{ dims, ...spec }],
    build: ([x]) => cumSum(x!, { axis, reverse }),
    oracle: ([x]) => {
      const along = axis < 0 ? axis + x!.dims.length : axis;
      return fill(
        x!.dims,
        (index) => {
          const isIn = (place: number) => (reverse ? place >= index[along]! : place <= index[along]!);
          const places = Array.from({ length: x!.dims[along]! }, (_, place) => place).filter(isIn);
          return sum(places.map((place) => at(x!, index.with(along, place))));
        },
        x!.dtype,
      );
    },
  };
}

function alongAxisCases(
  op: string,
  build: (x: Value, options: { axis?: number }) => Value,
  oracle: (x: Tensor, axis: number) => Tensor,
): OpCases {
  const over = (dims: readonly Dim[], axis: number): OpCase => ({
    inputs: [{ dims }],
    build: ([x]) => build(x!, { axis }),
    oracle: ([x]) => oracle(x!, axis),
  });
  return {
    accepts: {
      'a vector': over([4], 0),
      'the last axis of a batch': over(['batch', 'length', 3], -1),
      'a named last axis': over(['batch', 2, 'length'], -1),
      'a middle axis': over(['batch', 'length', 3], 1),
      'the first axis': over(['batch', 3], 0),
    },
    rejects: {
      [`${op}: axis 0 is outside a tensor of rank 0.`]: (value) => build(value([]), { axis: 0 }),
      [`${op}: expected float32, got int64.`]: (value) => build(value([2], 'int64'), {}),
    },
  };
}

const logSumOfExp = (x: Tensor, axis: number) => mapped(reduced(x, [axis], true, sumOfExp), Math.log);
const logSoftmaxOf = (x: Tensor, axis: number) => zipped([x, logSumOfExp(x, axis)], (a, b) => a! - b!, 'float32');

const EPSILON = 1e-3; // large, so that leaving it out would show

function layerNormOf([x, scale, bias]: readonly Tensor[]): Tensor[] {
  const average = reduced(x!, [-1], true, mean);
  const variance = reduced(x!, [-1], true, (group) => mean(group.map((value) => (value - mean(group)) ** 2)));
  const inverse = mapped(variance, (value) => 1 / Math.sqrt(value + EPSILON));
  const normed = zipped(
    [x!, average, inverse, scale!, bias!],
    (value, m, r, gain, offset) => (value! - m!) * r! * gain! + offset!,
    'float32',
  );
  return [normed, average, inverse];
}

function layerNormCase(...leading: Dim[]): OpCase {
  return {
    inputs: [{ dims: [...leading, 4] }, { dims: [4] }, { dims: [4] }],
    build: ([x, scale, bias]) => {
      const { output, mean, inverseDeviation } = layerNormalization(x!, scale!, bias!, { epsilon: EPSILON });
      return [output, mean, inverseDeviation];
    },
    oracle: layerNormOf,
    onlyFirstHasGradient: true,
  };
}

function unbiasedCase(...leading: Dim[]): OpCase {
  return {
    inputs: [{ dims: [...leading, 4] }, { dims: [4] }],
    build: ([x, scale]) => layerNormalization(x!, scale!, null, { epsilon: EPSILON }).output,
    oracle: ([x, scale]) => layerNormOf([x!, scale!, floats([4], [0, 0, 0, 0])])[0]!,
  };
}

function rootMeanSquareCase(...leading: Dim[]): OpCase {
  return {
    inputs: [{ dims: [...leading, 4] }, { dims: [4] }],
    build: ([x, scale]) => simplifiedLayerNormalization(x!, scale!, { epsilon: EPSILON }),
    oracle: ([x, scale]) => {
      const square = reduced(x!, [-1], true, (group) => mean(group.map((value) => value ** 2)));
      return zipped([x!, square, scale!], (a, b, c) => (a! / Math.sqrt(b! + EPSILON)) * c!, 'float32');
    },
  };
}

testOps(reductions, {
  ReduceSum: onIntegers(reductionCases('ReduceSum', reduceSum, sum, 'float32 or int32 or int64'), reduceSum, sum),
  ReduceMean: reductionCases('ReduceMean', reduceMean, mean, 'float32'),
  ReduceMax: onIntegers(
    reductionCases('ReduceMax', reduceMax, (group) => Math.max(...group), 'float32 or int32 or int64'),
    reduceMax,
    (group) => Math.max(...group),
  ),
  ReduceMin: onIntegers(
    reductionCases('ReduceMin', reduceMin, (group) => Math.min(...group), 'float32 or int32 or int64'),
    reduceMin,
    (group) => Math.min(...group),
  ),
  CumSum: {
    accepts: {
      'a vector': cumSumCase([4], 0),
      'a matrix, from the end': cumSumCase([2, 3], -1, true),
      'a named axis of a batch': cumSumCase(['batch', 'length'], 1),
      'the first axis': cumSumCase([3, 'length'], 0),
      integers: cumSumCase(['batch', 'length'], 1, false, { dtype: 'int64', values: [1, 0, 1, 1] }),
    },
    rejects: {
      'CumSum: axis 1 is outside a tensor of rank 1.': (value) => cumSum(value([3]), { axis: 1 }),
      'CumSum: expected float32 or int32 or int64, got bool.': (value) => cumSum(value([3], 'bool'), { axis: 0 }),
    },
  },
  Softmax: alongAxisCases('Softmax', softmax, (x, axis) => mapped(logSoftmaxOf(x, axis), Math.exp)),
  LogSoftmax: alongAxisCases('LogSoftmax', logSoftmax, logSoftmaxOf),
  LayerNormalization: {
    accepts: {
      'a vector': layerNormCase(),
      'a matrix': layerNormCase(3),
      'a batch': layerNormCase('batch', 'length'),
      'a batch, without a bias': unbiasedCase('batch', 'length'),
    },
    rejects: {
      'LayerNormalization: scale and bias must be (4), got (3).': (value) =>
        layerNormalization(value([2, 4]), value([4]), value([3])),
      'LayerNormalization: only the last axis is supported, got 0 of (2, 4).': (value) =>
        layerNormalization(value([2, 4]), value([4]), value([4]), { axis: 0 }),
      'LayerNormalization: expected float32, got int64.': (value) =>
        layerNormalization(value([2, 4], 'int64'), value([4]), value([4])),
    },
  },
  SimplifiedLayerNormalization: {
    accepts: {
      'a matrix': rootMeanSquareCase(3),
      'a batch': rootMeanSquareCase('batch', 'length'),
    },
    rejects: {
      'SimplifiedLayerNormalization: scale and bias must be (4), got (1).': (value) =>
        simplifiedLayerNormalization(value([2, 4]), value([1])),
    },
  },
});

it('ReduceMax shares the gradient among ties equally, as torch.amax', async () => {
  const graph = createGraph();
  const x = graph.input('x', 'float32', [2, 3]);
  const [grad] = gradients(sumAll(reduceMax(x, { axes: [1] })), [x]);
  const results = await runGraph(graph, { grad: grad! }, { x: floats([2, 3], [5, 5, 1, 0, 2, -2]) });
  expect(results.grad!.data).toEqual([0.5, 0.5, 0, 0, 1, 0]);
});
