/** An exported model in onnxruntime: opened, looked at, and run for batches. */
import { FormatError } from 'onnx-grad';
import * as ort from 'onnxruntime-node';
import type { Classify } from './scoring/queue.ts';

const KNOWN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];

export interface OpenedModel {
  readonly classify: Classify;
  readonly release: () => Promise<void>;
}

/** @throws FormatError for a file that onnxruntime does not open, or with inputs or outputs that are no classifier's */
export async function openModel(file: string, threads: number): Promise<OpenedModel> {
  // what goes wrong is thrown; it need not be printed too
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: threads, logSeverityLevel: 4 }).catch(
    (cause: Error) => {
      const reason = cause.message.split('\n')[0];
      throw new FormatError(`${file}: onnxruntime cannot open it (${reason}).`, { file, cause });
    },
  );
  const unknown = session.inputNames.filter((name) => !KNOWN_INPUTS.includes(name));
  const output = session.outputNames.includes('logits') ? 'logits' : session.outputNames[0]!;
  if (unknown.length > 0 || !session.inputNames.includes('input_ids')) {
    await session.release();
    const got = session.inputNames.slice(0, 10).join(', ');
    throw new FormatError(`${file}: expected inputs among ${KNOWN_INPUTS.join(', ')}, got ${got}.`, { file });
  }
  return {
    async classify(batch) {
      const feeds = session.inputNames.map((name) => {
        const tensor = batch[name];
        if (!tensor) throw new FormatError(`${file} wants ${name}, which config.json says this model lacks.`, { file });
        return [name, new ort.Tensor('int64', tensor.data as BigInt64Array, tensor.dims)];
      });
      const results = await session.run(Object.fromEntries(feeds));
      const categories = results.categories?.data as Float32Array | undefined;
      return { logits: results[output]!.data as Float32Array, ...(categories ? { categories } : {}) };
    },
    release: () => session.release(),
  };
}
