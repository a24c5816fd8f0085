/** The rate that onnxruntime's own matrix product reaches on this machine: the ceiling a training step is held against. */
import * as ort from 'onnxruntime-node';
import { median } from '../rounds.ts';

/** `y = MatMul(x, w)`, float32, all sizes free, opset 20: onnx.helper's model of one node. */
const MATMUL =
  'CAo6XgoRCgF4CgF3EgF5IgZNYXRNdWwSBGdlbW1aFQoBeBIQCg4IARIKCgMSAU0KAxIBS1oVCgF3EhAKDggBEgoKAxIBSwoDEgFOYhUKAXkSEAoO' +
  'CAESCgoDEgFNCgMSAU5CBAoAEBQ=';

/** The product measured, (2048, 384) x (384, 1536): 16x128 tokens into MiniLM's intermediate layer. */
export const gemmShape = { M: 2048, K: 384, N: 1536 } as const;

/** Median GFLOP/s of the product, its second factor fed like a weight in training (so not packed beforehand). */
export async function measureGemm(threads: number, runs = 40): Promise<number> {
  const { M, K, N } = gemmShape;
  const session = await ort.InferenceSession.create(Buffer.from(MATMUL, 'base64'), { intraOpNumThreads: threads });
  const random = (rows: number, columns: number) =>
    new ort.Tensor('float32', Float32Array.from({ length: rows * columns }, Math.random), [rows, columns]);
  const feeds = { x: random(M, K), w: random(K, N) };
  const fetches = { y: new ort.Tensor('float32', new Float32Array(M * N), [M, N]) };
  const times: number[] = []; // ms
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await session.run(feeds, fetches);
    times.push(performance.now() - start);
  }
  await session.release();
  return (2 * M * K * N) / median(times.slice(5)) / 1e6;
}
