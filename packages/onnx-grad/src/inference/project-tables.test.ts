import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { emitModel } from '../graph/emit.ts';
import { createRandom } from '../graph/gradient-check.testing.node.ts';
import * as ops from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { encodeModel } from '../onnx/encode.ts';
import type { ModelRecord } from '../onnx/model.ts';
import { projectTables } from './project-tables.ts';
import { quantizeModel } from './quantize-model.ts';

const SIZE = 64;

/** Positions and contents that share a projection, as DeBERTa has them. */
function build(rows: number): ModelRecord {
  const random = createRandom(5);
  const graph = createGraph();
  const stored = new Map<string, Uint8Array>();
  const weight = (name: string, ...dims: number[]) => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random() - 0.5);
    stored.set(name, new Uint8Array(values.buffer));
    return graph.input(name, 'float32', dims);
  };
  const [ids, x] = [graph.input('ids', 'int64', ['rows']), graph.input('x', 'float32', ['rows', SIZE])];
  const { output: table } = ops.layerNormalization(weight('table', rows, SIZE), weight('scale', SIZE), null, {
    epsilon: 1e-5,
  });
  const [shared, bias] = [weight('key.weight', SIZE, SIZE), weight('bias', SIZE)];
  const positions = ops.gemm(ops.gather(table, ids), shared, bias, { transB: true });
  const contents = ops.gemm(x, shared, bias, { transB: true });
  return emitModel(graph, new Map([['y', ops.mul(positions, contents)]]), { initializers: stored });
}

async function run(model: ModelRecord, feeds: ort.InferenceSession.FeedsType) {
  const session = await ort.InferenceSession.create(encodeModel(model));
  const results = await session.run(feeds);
  await session.release();
  return results;
}

const feeds = {
  ids: new ort.Tensor('int64', BigInt64Array.of(3n, 0n, 99n), [3]),
  x: new ort.Tensor('float32', new Float32Array(3 * SIZE).fill(0.5), [3, SIZE]),
};

it('multiplies all rows once: the same answers, and the shared weight has one reader left', async () => {
  const model = build(100);
  expect(quantizeModel(model, { kind: 'int8' }).quantized).toEqual([]);
  const { products, applyProducts } = projectTables(model)!;
  const values = Object.entries(await run(products, {})).map(
    ([name, { data }]) => [name, data as Float32Array] as const,
  );
  const projected = applyProducts(new Map(values));
  expect(projected.graph.initializers.map(({ name }) => name)).toEqual(['key.weight', 'bias', 'key.table0']);
  const [before, after] = [await run(model, feeds), await run(projected, feeds)];
  const [expected, got] = [before.y!.data as Float32Array, after.y!.data as Float32Array];
  for (const [at, value] of got.entries()) expect(value).toBeCloseTo(expected[at]!, 4);
  expect(quantizeModel(projected, { kind: 'int8' }).quantized).toEqual(['key.table0', 'key.weight']);
});

it('leaves tables alone that would become larger than what they spare', () => {
  expect(projectTables(build(2000))).toBeNull();
});
