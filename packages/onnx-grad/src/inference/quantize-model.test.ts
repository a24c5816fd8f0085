import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { emitModel } from '../graph/emit.ts';
import { createRandom } from '../graph/gradient-check.testing.node.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { ModelRecord } from '../onnx/model.ts';
import { activationBytes, createRanges, widenRanges } from './channel-ranges.ts';
import { packInt4 } from './int4.ts';
import { quantizeRows } from './int8.ts';
import { productActivations } from './product.ts';
import { type Quantization, quantizeModel } from './quantize-model.ts';

const [VOCABULARY, SIZE, INNER] = [300, 64, 96];

/** A look-up, products of every form, and a matrix that two of them read. */
function build(): ModelRecord {
  const random = createRandom(7);
  const graph = createGraph();
  const stored = new Map<string, Uint8Array>();
  const weight = (name: string, ...dims: number[]) => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random() - 0.5);
    stored.set(name, new Uint8Array(values.buffer));
    return graph.input(name, 'float32', dims);
  };
  const ids = graph.input('ids', 'int64', ['rows']);
  const x = ops.gather(weight('table', VOCABULARY, SIZE), ids);
  const shared = weight('shared', SIZE, SIZE);
  const biased = ops.gemm(x, weight('biased', INNER, SIZE), weight('bias', INNER), { transB: true, alpha: 0.5 });
  const back = ops.gemm(ops.relu(biased), weight('plain', INNER, SIZE), null);
  const summed = ops.add(ops.gemm(back, weight('summed', SIZE, SIZE), null, { transB: true }), x);
  const twice = ops.matMul(ops.matMul(summed, shared), shared);
  const small = ops.gemm(twice, weight('small', 2, SIZE), null, { transB: true });
  const outputs = new Map([
    [
      'y',
      ops.add(ops.matMul(summed, weight('product', SIZE, SIZE)), ops.reduceSum(small, { axes: [1], keepdims: true })),
    ],
  ]);
  return emitModel(graph, outputs, { initializers: stored });
}

async function runWith(model: ModelRecord, feeds: ort.InferenceSession.FeedsType): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(encodeModel(model), { graphOptimizationLevel: 'all' });
  const { y } = await session.run(feeds);
  await session.release();
  return y!.data as Float32Array;
}

function run(model: ModelRecord): Promise<Float32Array> {
  return runWith(model, { ids: new ort.Tensor('int64', BigInt64Array.from([3, 299, 0, 7, 7], BigInt), [5]) });
}

const relative = (a: Float32Array, b: Float32Array) =>
  Math.hypot(...a.map((value, i) => value - b[i]!)) / Math.hypot(...b);

const all = ['table', 'biased', 'plain', 'summed', 'product'];

it.each<[Quantization, number]>([
  ['int8', 0.02],
  ['q4', 0.2],
])('%s: products and tables with fewer bits, small and shared matrices as they were', async (kind, tolerance) => {
  const model = build();
  const { model: smaller, quantized } = quantizeModel(model, { kind });
  expect(quantized).toEqual(all);
  const bytes = ({ graph }: ModelRecord) => graph.initializers.reduce((sum, { data }) => sum + data.length, 0);
  const sharedBytes = SIZE * SIZE * 4;
  expect(bytes(smaller) - sharedBytes).toBeLessThan((bytes(model) - sharedBytes) * 0.3);
  const [after, before] = [await run(smaller), await run(model)];
  expect(relative(after, before)).toBeGreaterThan(0);
  expect(relative(after, before)).toBeLessThan(tolerance);
});

it('divides outlying channels, where ranges are given, and gives a row the same answer in every batch', async () => {
  const random = createRandom(3);
  const large = (at: number) => (at % SIZE === 5 ? 20 : 1); // one channel, whose weights are small
  const values = Float32Array.from({ length: 8 * SIZE }, (_, at) => (random() - 0.5) * large(at));
  const weight = Float32Array.from({ length: INNER * SIZE }, (_, at) => (random() - 0.5) / large(at));
  const graph = createGraph();
  const x = graph.input('x', 'float32', ['rows', SIZE]);
  const y = ops.gemm(x, graph.input('weight', 'float32', [INNER, SIZE]), null, { transB: true });
  const initializers = new Map([['weight', new Uint8Array(weight.buffer)]]);
  const model = emitModel(graph, new Map([['y', y]]), { initializers });
  const product = async (of: ModelRecord, rows: Float32Array) => {
    const feeds = { x: new ort.Tensor('float32', rows, [rows.length / SIZE, SIZE]) };
    return runWith(of, feeds);
  };
  expect([...productActivations(model)]).toEqual([['x', SIZE]]);
  const range = createRanges(SIZE);
  widenRanges(range, values);
  const fitted = quantizeModel(model, { kind: 'int8', ranges: new Map([['x', range]]) }).model;
  const exact = await product(model, values);
  const errorOf = async (of: ModelRecord) => relative(await product(of, values), exact);
  expect(await errorOf(fitted)).toBeGreaterThan(0);
  expect(await errorOf(fitted)).toBeLessThan(0.2 * (await errorOf(quantizeModel(model, { kind: 'int8' }).model)));
  const third = await product(fitted, values.slice(2 * SIZE, 3 * SIZE));
  expect(third).toEqual((await product(fitted, values)).slice(2 * INNER, 3 * INNER));
});

it('bytes hold the range, zero exactly, and outlying channels no more than the next', () => {
  const ranges = createRanges(6);
  widenRanges(ranges, Float32Array.of(1, -2, 3, 0, 1, 60, 1, 1, 1, 1, -1, -30));
  const { scale, zeroPoint, divisors } = activationBytes(ranges);
  expect([...divisors!]).toEqual([1, 2, 3, 1, 1, 60]);
  expect([scale * (0 - zeroPoint), scale * (255 - zeroPoint)]).toEqual([expect.closeTo(-1, 2), expect.closeTo(1, 2)]);
  expect(activationBytes(createRanges(6))).toEqual({ scale: 1, zeroPoint: 0, divisors: null });
});

it('keeps what it is told to, to the last bit when that is everything', async () => {
  const model = build();
  const one = quantizeModel(model, { kind: 'int8', kept: new Set(['plain', 'table']) });
  expect(one.quantized).toEqual(['biased', 'summed', 'product']);
  const none = quantizeModel(model, { kind: 'int8', kept: new Set(all) });
  expect(await run(none.model)).toEqual(await run(model));
});

it('rounds a row to within half a step of its scale', () => {
  const row = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 1 });
  fc.assert(
    fc.property(row, (list) => {
      const weight = Float32Array.from(list);
      const { values, scales } = quantizeRows(weight, 1, weight.length);
      weight.forEach((value, i) => {
        expect(Math.abs(values[i]! * scales[0]! - value)).toBeLessThanOrEqual(scales[0]! * 0.501);
      });
    }),
  );
});

it('packs four bits low half first, the largest value of a block exact, the last block short', () => {
  const { packed, scales, blocks } = packInt4(Float32Array.of(-8, 7, 0, 4, 2.5), 1, 5, 4);
  expect([blocks, [...scales]]).toEqual([2, [1, -0.3125]]);
  expect([...packed]).toEqual([0xf0, 0xc8, 0x80, 0x88]);
});
