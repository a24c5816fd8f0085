import * as ort from 'onnxruntime-node';
import type { Value } from '../graph/graph.ts';
import type { Batch } from './program.ts';

/** A batch as onnxruntime's tensors, for the inputs that read it. */
export function toFeeds(batch: Batch, inputs: readonly Value[]): Record<string, ort.Tensor> {
  return Object.fromEntries(
    inputs.map(({ name }) => {
      const { dtype, dims, data } = batch[name]!;
      return [name, new ort.Tensor(dtype as 'int64', data as BigInt64Array, dims)];
    }),
  );
}
