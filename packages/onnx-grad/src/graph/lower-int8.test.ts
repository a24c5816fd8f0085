import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { emitModel } from './emit.ts';
import { productFlops } from './flops.ts';
import {
  compile,
  createRandom,
  distance,
  floats,
  makeTensor,
  sumAll,
  type Tensor,
} from './gradient-check.testing.node.ts';
import { checkpoint, gradients } from './gradients.ts';
import type { Graph, Value } from './graph.ts';
import { type LoweredInt8, lowerInt8, type RangedActivation, type WeightCopy } from './lower-int8.ts';
import * as ops from './ops.ts';
import { createGraph } from './table.ts';

const [ROWS, INPUTS, OUTPUTS] = [5, 12, 7];
const TOLERANCE = 1e-6;
const f = Math.fround;

/** To the nearest whole number, to the even one of two. */
function nearest(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(value);
}

type Matrix = readonly (readonly number[])[];

const toMatrix = ({ dims, data }: Tensor): Matrix =>
  Array.from({ length: dims[0]! }, (_, row) => data.slice(row * dims[1]!, (row + 1) * dims[1]!));
const toTensor = (matrix: Matrix): Tensor => floats([matrix.length, matrix[0]!.length], matrix.flat());
const turn = (matrix: Matrix): Matrix => matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => turn(b).map((column) => row.reduce((sum, value, at) => sum + value * column[at]!, 0)));

/** What is left of the values when each row is held in signed bytes with a scale of its own. */
function roundRows(matrix: Matrix): Matrix {
  return matrix.map((row) => {
    const scale = f(Math.max(...row.map(Math.abs)) / 127) || 1;
    return row.map((value) => nearest(f(value / scale)) * scale);
  });
}

/** The same of unsigned bytes with one scale and zero point, as ONNX's DynamicQuantizeLinear. */
function roundTensor(matrix: Matrix): Matrix {
  const [least, most] = [Math.min(0, ...matrix.flat()), Math.max(0, ...matrix.flat())];
  const scale = f(f(most - least) / 255);
  const zeroPoint = nearest(f(-least / scale));
  const byte = (value: number) => Math.max(0, Math.min(255, nearest(f(value / scale)) + zeroPoint));
  return matrix.map((row) => row.map((value) => (byte(value) - zeroPoint) * scale));
}

/** What a copy of a weight (N, K) is fed with. */
function feedsOf({ bytes, scale, side }: WeightCopy, weight: Matrix): [string, Tensor][] {
  const channels = side === 'forward' ? weight : turn(weight);
  const scales = channels.map((row) => f(Math.max(...row.map(Math.abs)) / 127));
  const levels = turn(channels.map((row, channel) => row.map((value) => nearest(f(value / scales[channel]!)))));
  return [
    [bytes.name, { ...toTensor(levels), dtype: 'int8' }],
    [scale.name, floats([scales.length], scales)],
  ];
}

function declare(graph: Graph) {
  return {
    x: graph.input('x', 'float32', ['rows', INPUTS]),
    weight: graph.input('weight', 'float32', [OUTPUTS, INPUTS]),
    bias: graph.input('bias', 'float32', [OUTPUTS]),
    grad: graph.input('grad', 'float32', ['rows', OUTPUTS]),
  };
}

const random = createRandom(3);
const example = {
  x: makeTensor({ dims: [ROWS, INPUTS] }, random),
  weight: makeTensor({ dims: [OUTPUTS, INPUTS], range: [-0.3, 0.5] }, random),
  bias: makeTensor({ dims: [OUTPUTS] }, random),
  /** Rows of very different sizes, one of zeros: as the gradients of tokens are. */
  grad: toTensor(
    toMatrix(makeTensor({ dims: [ROWS, OUTPUTS] }, random)).map((row, at) =>
      row.map((value) => f(value * [1, 1e-6, 0, 1e-3, 1e-9][at]!)),
    ),
  ),
};

/** Of a graph with products of bytes; their weights' copies are fed as well. */
async function run({ graph, outputs, copies }: LoweredInt8, feeds: Readonly<Record<string, Tensor>>) {
  const fed = copies.flatMap((copy) => feedsOf(copy, toMatrix(feeds[copy.weight]!)));
  return (await compile(graph, Object.fromEntries(outputs)))({ ...feeds, ...Object.fromEntries(fed) });
}

/** With the range that each run finds. */
const lowerRun = (graph: Graph, outputs: ReadonlyMap<string, Value>) => lowerInt8(graph, outputs, { ranges: 'run' });

const runOne = async (value: Value) => (await run(lowerRun(value.graph, new Map([['y', value]])), example)).y!;

/** Largest difference of a row, relative to the row's largest value. */
function rowDistance(found: Tensor, expected: Matrix): number {
  expect(found.dims).toEqual([expected.length, expected[0]!.length]);
  const rows = toMatrix(found).map((row, at) => {
    const size = Math.max(...expected[at]!.map(Math.abs)) || 1;
    return Math.max(...row.map((value, column) => Math.abs(value - expected[at]![column]!))) / size;
  });
  return Math.max(...rows);
}

describe('a product of bytes', () => {
  const [x, weight, grad] = [example.x, example.weight, example.grad].map(toMatrix) as [Matrix, Matrix, Matrix];

  it('is that of the bytes of x, in one range, and of the weight, in one a row', async () => {
    const inputs = declare(createGraph());
    const sums = product(roundTensor(x), turn(roundRows(weight)));
    const expected = sums.map((row) => row.map((value, column) => value + example.bias.data[column]!));
    expect(rowDistance(await runOne(ops.int8Gemm(inputs.x, inputs.weight, inputs.bias)), expected)).toBeLessThan(
      TOLERANCE,
    );
    expect(rowDistance(await runOne(ops.int8Gemm(inputs.x, inputs.weight)), sums)).toBeLessThan(TOLERANCE);
  });

  it('sends back through x what its bytes, in a range a row, give: small rows as exactly as large ones', async () => {
    const inputs = declare(createGraph());
    const expected = product(roundRows(grad), turn(roundRows(turn(weight))));
    expect(rowDistance(await runOne(ops.int8GemmInput(inputs.grad, inputs.weight)), expected)).toBeLessThan(TOLERANCE);
  });

  it('sends back to the weight what the bytes of the gradient, in a range a column, and of x give', async () => {
    const inputs = declare(createGraph());
    const expected = product(roundRows(turn(grad)), roundTensor(x));
    expect(rowDistance(await runOne(ops.int8GemmWeight(inputs.grad, inputs.x, inputs.weight)), expected)).toBeLessThan(
      TOLERANCE,
    );
  });

  it('counts as the operations of its float product', () => {
    const { x, weight, grad } = declare(createGraph());
    const each = 2 * ROWS * INPUTS * OUTPUTS;
    for (const value of [
      ops.int8Gemm(x, weight),
      ops.int8GemmInput(grad, weight),
      ops.int8GemmWeight(grad, x, weight),
    ]) {
      expect(productFlops([value], { rows: ROWS })).toBe(each);
    }
  });
});

/** Two layers and a loss, in either arithmetic, with everything's gradient. */
function twoLayers(
  product: (x: Value, weight: Value, bias: Value) => Value,
  wrap = (x: Value, body: (x: Value) => Value) => body(x),
) {
  const graph = createGraph();
  const { x, weight, bias } = declare(graph);
  const back = graph.input('back', 'float32', [INPUTS, OUTPUTS]);
  const backBias = graph.input('back bias', 'float32', [INPUTS]);
  const y = wrap(x, (input) => product(ops.tanh(product(input, weight, bias)), back, backBias));
  const loss = sumAll(ops.mul(y, y));
  const found = gradients(loss, [x, weight, bias, back, backBias]);
  return { graph, outputs: new Map([['loss', loss], ...found.map((value, at) => [`gradient${at}`, value] as const)]) };
}

const float = (x: Value, weight: Value, bias: Value) => ops.gemm(x, weight, bias, { transB: true });
const layerFeeds = {
  ...example,
  back: makeTensor({ dims: [INPUTS, OUTPUTS], range: [-0.5, 0.5] }, random),
  'back bias': makeTensor({ dims: [INPUTS] }, random),
};

describe('gradients through products of bytes', () => {
  it('are those of the float products, but for the rounding', async () => {
    const [bytes, floating] = [twoLayers(ops.int8Gemm), twoLayers(float)];
    const found = await run(lowerRun(bytes.graph, bytes.outputs), layerFeeds);
    const expected = await run(lowerRun(floating.graph, floating.outputs), layerFeeds);
    for (const [name, { data }] of Object.entries(expected)) {
      const difference = Math.hypot(...data.map((value, at) => value - found[name]!.data[at]!));
      expect(difference / Math.hypot(...data)).toBeLessThan(0.02);
      expect(difference).toBeGreaterThan(0);
    }
  });

  it('are the same where the layers are computed again in the backward pass', async () => {
    const whole = twoLayers(ops.int8Gemm);
    const again = twoLayers(ops.int8Gemm, (x, body) => checkpoint([x], ([input]) => body(input!)));
    const expected = await run(lowerRun(whole.graph, whole.outputs), layerFeeds);
    const found = await run(lowerRun(again.graph, again.outputs), layerFeeds);
    for (const [name, tensor] of Object.entries(expected)) expect(distance(found[name]!, tensor)).toBe(0);
  });
});

describe('lowering', () => {
  it('makes bytes once of what several products read, and asks for each copy of a weight once', () => {
    const graph = createGraph();
    const { x, weight, bias } = declare(graph);
    const loss = sumAll(ops.mul(ops.int8Gemm(x, weight, bias), ops.int8Gemm(x, weight)));
    const [toX, toWeight] = gradients(loss, [x, weight]);
    const lowered = lowerInt8(
      graph,
      new Map([
        ['toX', toX!],
        ['toWeight', toWeight!],
      ]),
    );
    const opTypes = emitModel(lowered.graph, lowered.outputs).graph.nodes.map(({ opType }) => opType);
    const count = (name: string) => opTypes.filter((opType) => opType === name).length;
    expect(count('MatMulIntegerToFloat')).toBe(2 + 2 + 2);
    expect(count('QuantizeLinear')).toBe(1 + 2 + 2); // x; two gradients, by rows and by columns
    expect(lowered.activations.map(({ name }) => name)).toEqual(['weight']);
    expect(lowered.copies.map(({ weight, side, bytes }) => [weight, side, bytes.dims])).toEqual([
      ['weight', 'forward', [INPUTS, OUTPUTS]],
      ['weight', 'backward', [OUTPUTS, INPUTS]],
    ]);
  });

  it('has the range of an activation fed, cuts off what lies outside, and gives the range that there was', async () => {
    const { x, weight, grad } = declare(createGraph());
    const y = ops.int8Gemm(x, weight);
    const back = ops.int8GemmWeight(grad, x, weight);
    const lowered = lowerInt8(x.graph, new Map(Object.entries({ y, back })));
    const [{ fed, low, high }] = lowered.activations as [RangedActivation];
    const outputs = new Map([...lowered.outputs, ['low', low], ['high', high]]);
    const scale = f(0.01);
    const factors = Array.from({ length: INPUTS }, (_, channel) => (channel === 3 ? 0.25 : 1));
    const rows = toMatrix(example.x);
    const divided = rows.map((row) => row.map((value, channel) => value * factors[channel]!));
    const weightTimes = toMatrix(example.weight).map((row) =>
      row.map((value, channel) => f(value / factors[channel]!)),
    );
    const found = await run(
      { ...lowered, outputs },
      {
        ...example,
        weight: toTensor(weightTimes), // as its copy is made
        [fed!.factors.name]: floats([INPUTS], factors),
        [fed!.scale.name]: floats([], [scale]),
        [fed!.zeroPoint.name]: { dtype: 'uint8', dims: [], data: [100] },
      },
    );
    const byte = (value: number) => Math.max(0, Math.min(255, nearest(f(value / scale)) + 100));
    const cut = divided.map((row) => row.map((value) => (byte(value) - 100) * scale));
    expect(rowDistance(found.y!, product(cut, turn(roundRows(weightTimes))))).toBeLessThan(TOLERANCE);
    const whole = cut.map((row) => row.map((value, channel) => value / factors[channel]!));
    expect(rowDistance(found.back!, product(roundRows(turn(toMatrix(example.grad))), whole))).toBeLessThan(TOLERANCE);
    expect(found.low!.data).toEqual([Math.min(...divided.flat())]);
    expect(found.high!.data).toEqual([Math.max(...divided.flat())]);
  });

  it('gives the range of each channel where each run takes its own', async () => {
    const { x, weight } = declare(createGraph());
    const lowered = lowerRun(x.graph, new Map([['y', ops.int8Gemm(x, weight)]]));
    const [{ fed, low, high }] = lowered.activations as [RangedActivation];
    expect(fed).toBeNull();
    const found = await run({ ...lowered, outputs: new Map(Object.entries({ low, high })) }, example);
    const columns = turn(toMatrix(example.x));
    expect(found.low!.data).toEqual(columns.map((column) => Math.min(...column)));
    expect(found.high!.data).toEqual(columns.map((column) => Math.max(...column)));
  });

  it('names an activation after its first weight, and lets those of one weight share their bytes', () => {
    const graph = createGraph();
    const { x, weight } = declare(graph);
    const other = graph.input('other', 'float32', [OUTPUTS, INPUTS]);
    const shared = [ops.int8Gemm(x, weight), ops.int8Gemm(x, other), ops.int8Gemm(ops.tanh(x), weight)];
    const outputs = shared.map((value, at) => [`y${at}`, value] as const);
    const { activations, namesByWeight } = lowerInt8(graph, new Map(outputs));
    expect(activations.map(({ name }) => name)).toEqual(['weight', 'weight']);
    expect(activations[1]!.fed).toBe(activations[0]!.fed);
    expect([...namesByWeight]).toEqual([
      ['weight', 'weight'],
      ['other', 'weight'],
    ]);
    const third = graph.input('third', 'float32', [OUTPUTS, INPUTS]);
    const both = [ops.int8Gemm(ops.neg(x), third), ops.int8Gemm(x, weight), ops.int8Gemm(x, third)];
    expect(() => lowerInt8(graph, new Map(both.map((value, at) => [`y${at}`, value] as const)))).toThrow(
      new ShapeError('Int8Gemm: "third" is read with the activations of "third" and "weight".'),
    );
  });

  it('rounds rows to what their bytes stand for, and lets the gradient pass', async () => {
    const { grad } = declare(createGraph());
    const rounded = ops.roundRows(grad);
    expect(rowDistance(await runOne(rounded), roundRows(toMatrix(example.grad)))).toBeLessThan(TOLERANCE);
    const [back] = gradients(sumAll(ops.mul(rounded, rounded)), [grad]);
    const twice = roundRows(toMatrix(example.grad)).map((row) => row.map((value) => 2 * value));
    expect(rowDistance(await runOne(back!), twice)).toBeLessThan(TOLERANCE);
  });

  it('cuts the copies where the weight is cut', async () => {
    const graph = createGraph();
    const { x, weight } = declare(graph);
    const [first, second] = ops.split(weight, { axis: 0, sizes: [3, 4] }) as [Value, Value];
    const parts = ops.concat([ops.int8Gemm(x, first), ops.int8Gemm(x, second)], { axis: 1 });
    const [toX, toWeight] = gradients(sumAll(ops.mul(parts, parts)), [x, weight]);
    const lowered = lowerRun(graph, new Map(Object.entries({ parts, toX: toX!, toWeight: toWeight! })));
    expect(lowered.copies).toHaveLength(2);
    const found = await run(lowered, example);
    expect(distance(found.parts!, await runOne(ops.int8Gemm(x, weight)))).toBeLessThan(TOLERANCE);
    expect(found.toX!.dims).toEqual([ROWS, INPUTS]);
  });

  it('leaves a graph without such products as it is', () => {
    const { graph, outputs } = twoLayers(float);
    const lowered = lowerInt8(graph, outputs);
    expect(lowered.copies).toEqual([]);
    expect(lowered.graph.inputs.map(({ name }) => name)).toEqual(graph.inputs.map(({ name }) => name));
  });

  it('wants weights that are inputs', () => {
    const { x, weight } = declare(createGraph());
    const made = ops.int8Gemm(x, ops.tanh(weight));
    expect(() => lowerInt8(made.graph, new Map([['y', made]]))).toThrow(
      new ShapeError('Int8Gemm: its weight is made by Tanh, expected an input of the graph.'),
    );
    const constant = ops.int8Gemm(x, x.graph.constant(new Float32Array(INPUTS), [1, INPUTS]));
    expect(() => lowerInt8(constant.graph, new Map([['y', constant]]))).toThrow(/its weight is a constant/);
  });
});

describe('shapes and types', () => {
  const graph = createGraph();
  const { x, weight, bias } = declare(graph);
  const bytes = graph.input('bytes', 'uint8', ['rows', INPUTS]);
  it.each<[string, () => unknown]>([
    [
      'Int8Gemm: inner sizes differ, (rows, 12) x (12, rows): 12 and rows.',
      () => ops.int8Gemm(x, ops.transpose(x, [1, 0])),
    ],
    ['Int8Gemm: expected a vector of 7, got (7, 12).', () => ops.int8Gemm(x, weight, weight)],
    ['Int8Gemm: expected two matrices, got (rows, 12) x (7).', () => ops.int8Gemm(x, bias)],
    ['Int8Gemm: expected float32, got uint8.', () => ops.int8Gemm(bytes, weight)],
    ['Int8GemmInput: inner sizes differ, (rows, 12) x (7, 12): 12 and 7.', () => ops.int8GemmInput(x, weight)],
    [
      'Int8GemmWeight: inner sizes differ, (7, 12) x (rows, 12): 7 and rows.',
      () => ops.int8GemmWeight(weight, x, weight),
    ],
    ['DynamicQuantizeLinear: expected float32, got uint8.', () => ops.dynamicQuantizeLinear(bytes)],
    [
      'QuantizeLinear: expected uint8 or int8, got float32.',
      () => ops.quantizeLinear(x, graph.constant(1), graph.constant(0)),
    ],
    [
      'MatMulIntegerToFloat: expected int8, got uint8.',
      () => ops.matMulIntegerToFloat({ bytes, scale: bias, zeroPoint: bias }, { bytes, scale: bias }),
    ],
  ])('%s', (message, build) => expect(build).toThrow(new ShapeError(message)));

  it('have no gradient once they are bytes', () => {
    const { scale } = ops.dynamicQuantizeLinear(x);
    expect(() => gradients(scale, [x])).toThrow(ShapeError);
    expect(() =>
      gradients(sumAll(ops.int8GemmWeight(ops.gemm(x, weight, null, { transB: true }), x, weight)), [x]),
    ).toThrow(/Differentiate the graph before lowerInt8/);
  });
});
