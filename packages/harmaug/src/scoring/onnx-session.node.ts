/** Logits of a batch from a session of onnxruntime, fed by the names of its inputs. */
import type { Batch } from 'onnx-grad';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ClassifyBatch } from './score-encoded.ts';

/** The output is the one called "logits", or the only one; "categories" are those of the second head. */
export function classifyWith(session: InferenceSession): { classify: ClassifyBatch; release: () => Promise<void> } {
  const output = session.outputNames.includes('logits') ? 'logits' : session.outputNames[0]!;
  return {
    async classify(batch) {
      const results = await runBatch(session, batch);
      const categories = results.categories?.data as Float32Array | undefined;
      return { logits: results[output]!.data as Float32Array, ...(categories ? { categories } : {}) };
    },
    release: () => session.release(),
  };
}

/** All outputs of a session for a batch, whose tensors are named as the session's inputs. */
export function runBatch(session: InferenceSession, batch: Batch): Promise<InferenceSession.OnnxValueMapType> {
  const feeds = session.inputNames.map((name) => {
    const { dtype, dims, data } = batch[name]!;
    return [name, new Tensor(dtype as 'int64', data as BigInt64Array, dims)];
  });
  return session.run(Object.fromEntries(feeds));
}
