/** Local attention beside plain attention with a mask over all pairs. */
import { attention, createGraph, emitModel, gradients, ops, productFlops, type Value } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../initialize.ts';
import { maskingBias, paddingBias } from '../layers.ts';
import { Scope } from '../scope.ts';
import { localAttention, localityOf } from './local-attention.ts';

const HEADS = 2;
const SIZE = 3;
const REACH = 4; // one window holds 12 tokens
const scale = 0.7;

type Kind = 'local' | 'masked';

/** Attention of `asking` queries and its gradients; padding is left out of the loss, as by every head. */
function build(kind: Kind, asking: 1 | 'length', dropout = 0) {
  const graph = createGraph();
  const scope = new Scope(graph, { training: true });
  const mask = graph.input('mask', 'int64', ['batch', 'length']);
  const near = graph.input('near', 'float32', [asking, 'length']); // 1 or 0
  const weights = graph.input('weights', 'float32', ['batch', 1, asking, 1]);
  const input = (name: string, tokens: 1 | 'length') => graph.input(name, 'float32', ['batch', HEADS, tokens, SIZE]);
  const values = [input('query', asking), input('key', 'length'), input('value', 'length')] as const;
  const context =
    kind === 'local'
      ? localAttention(scope, values, localityOf(mask, REACH), { scale, dropout, name: 'local' })
      : attention(...values, { scale, biases: [paddingBias(mask), maskingBias(near)] });
  const output = ops.mul(context, weights);
  const grads = gradients(ops.reduceSum(ops.mul(output, output), { axes: [0, 1, 2, 3] }), values);
  return { graph, scope, outputs: new Map([output, ...grads].map((value, at) => [`${at}`, value as Value])) };
}

/** A text of `length` tokens and one of 2. */
function makeFeeds(length: number, asking: number): Record<string, Tensor> {
  const random = mulberry32(length);
  const make = (dims: number[], valueAt: (at: number) => number) => {
    return new Tensor(
      'float32',
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => valueAt(at)),
      dims,
    );
  };
  const draw = (tokens: number) => make([2, HEADS, tokens, SIZE], () => 4 * random() - 2);
  const mask = Array.from({ length: 2 * length }, (_, at) => BigInt(at < length + 2));
  return {
    mask: new Tensor('int64', BigInt64Array.from(mask), [2, length]),
    near: make([asking, length], (at) => Number(Math.abs(Math.floor(at / length) - (at % length)) <= REACH)),
    weights: make([2, 1, asking, 1], (at) => Number(at < asking + 2)),
    query: draw(asking),
    key: draw(length),
    value: draw(length),
  };
}

/** The output and the gradients of query, key and value. */
async function run({ graph, outputs }: ReturnType<typeof build>, feeds: Record<string, Tensor>): Promise<number[][]> {
  const session = await createSession(emitModel(graph, outputs));
  const results = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])));
  await session.release();
  return [...outputs.keys()].map((name) => Array.from(results[name]!.data as Float32Array));
}

function expectClose(actual: readonly number[][], expected: readonly number[][]): void {
  const differences = actual.map((values, at) => {
    expect(values).toHaveLength(expected[at]!.length);
    return Math.max(...values.map((value, index) => Math.abs(value - expected[at]![index]!)));
  });
  expect(Math.max(...differences)).toBeLessThan(1e-4);
}

describe('local attention', () => {
  // one window, the last of its kind and the first beyond; whole blocks and broken ones
  const lengths = [2, 4, 5, 11, 12, 13, 15, 16, 17, 33];

  it.each(lengths)('over %d tokens is attention to those near, with its gradients', async (length) => {
    const feeds = makeFeeds(length, length);
    expectClose(await run(build('local', 'length'), feeds), await run(build('masked', 'length'), feeds));
  });

  it.each(lengths)('of the first of %d tokens alone is its row, with its gradients', async (length) => {
    const feeds = makeFeeds(length, 1);
    expectClose(await run(build('local', 1), feeds), await run(build('masked', 1), feeds));
  });

  it('costs in proportion to the length', () => {
    const flops = (kind: Kind, length: number) => {
      return productFlops([...build(kind, 'length').outputs.values()], { batch: 1, length });
    };
    expect(flops('local', 4096) / flops('local', 256)).toBe(16);
    expect(flops('local', 4096) / flops('masked', 4096)).toBe((3 * REACH) / 4096);
    expect(flops('local', 3 * REACH)).toBe(flops('masked', 3 * REACH)); // nothing padded
  });

  it.each([7, 18])('over %d tokens drops by a mask of the length times the window', async (length) => {
    const model = build('local', 'length', 0.5);
    const [site] = [...model.scope.dropoutSites.values()];
    expect(site!.value.dims).toEqual(['batch', HEADS, 'length', 3 * REACH]);
    const feeds = makeFeeds(length, length);
    const dims = [2, HEADS, length, 3 * REACH];
    const twice = new Tensor('float32', new Float32Array(2 * HEADS * length * 3 * REACH).fill(2), dims);
    const [plain] = await run(build('local', 'length'), feeds);
    const [doubled] = await run(model, { ...feeds, [site!.value.name]: twice });
    expectClose([doubled!], [plain!.map((value) => 2 * value)]);
  });
});
