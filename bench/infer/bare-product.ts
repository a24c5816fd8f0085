/** The rate of onnxruntime's bare product with a weight matrix, in either precision: what a model's products are held against. */
import { createGraph, emitModel, ops, productFlops, quantizeModel } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import * as ort from 'onnxruntime-node';
import { median, timed } from '../rounds.ts';
import { gemmShape } from '../train/gemm.ts';
import type { Precision } from './cases.ts';

/** Median GFLOP/s of (2048, 384) x (384, 1536), the weights packed beforehand. */
export async function measureProduct(precision: Precision, threads: number, runs = 40): Promise<number> {
  const { M, K, N } = gemmShape;
  const graph = createGraph();
  const product = ops.gemm(graph.input('x', 'float32', ['rows', K]), graph.input('w', 'float32', [N, K]), null, {
    transB: true,
  });
  const random = (size: number) => Float32Array.from({ length: size }, () => Math.random() - 0.5);
  const initializers = new Map([['w', new Uint8Array(random(N * K).buffer)]]);
  const model = emitModel(graph, new Map([['y', product]]), { initializers });
  const session = await createSession(precision === 'int8' ? quantizeModel(model, { kind: 'int8' }).model : model, {
    threads,
  });
  const feeds = { x: new ort.Tensor('float32', random(M * K), [M, K]) };
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push((await timed(() => session.run(feeds))).ms);
  await session.release();
  return productFlops([product], { rows: M }) / median(times.slice(5)) / 1e6;
}
