/** An exported model in onnxruntime, of either kind: opened, looked at, and run for batches. */
import { type BatchTensor, DeviceError, FormatError } from 'onnx-grad';
import type { Classify } from './scoring/queue.ts';

export interface OpenedModel {
  readonly classify: Classify;
  readonly release: () => Promise<void>;
}

/** What we use of a session of onnxruntime-node or onnxruntime-web. */
export interface RuntimeSession<Tensor> {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, { readonly data: unknown }>>;
  release(): Promise<void>;
}

const KNOWN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * @param file name for errors
 * @throws what is a DeviceError already; FormatError for a model that onnxruntime does not open, or with inputs or outputs that are no classifier's
 */
export async function openSession<Tensor>(
  file: string,
  create: () => Promise<RuntimeSession<Tensor>>,
  toTensor: (tensor: BatchTensor) => Tensor,
): Promise<OpenedModel> {
  const session = await create().catch((cause: Error) => {
    if (cause instanceof DeviceError) throw cause;
    const reason = String(cause?.message ?? cause).split('\n')[0];
    throw new FormatError(`${file}: onnxruntime cannot open it (${reason}).`, { file, cause });
  });
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
        return [name, toTensor(tensor)];
      });
      const results = await session.run(Object.fromEntries(feeds));
      const categories = results.categories?.data as Float32Array | undefined;
      return { logits: results[output]!.data as Float32Array, ...(categories ? { categories } : {}) };
    },
    release: () => session.release(),
  };
}
