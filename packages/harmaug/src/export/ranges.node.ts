/** What a guard's activations hold on real texts, for their bytes. */
import { type BatchLimits, collate, type EncodedArrays } from '@harmaug/models';
import { type ChannelRanges, createRanges, type ModelRecord, productActivations, widenRanges } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import { runBatch } from '../scoring/onnx-session.node.ts';

const TEXTS = 256; // spread over all: more move the ranges little

/** @param model in float32; its texts are read one at a time, so that no padding counts */
export async function measureRanges(
  model: ModelRecord,
  texts: readonly EncodedArrays[],
  limits: BatchLimits,
  { threads, signal }: { readonly threads?: number; readonly signal?: AbortSignal },
): Promise<Map<string, ChannelRanges>> {
  const channels = productActivations(model);
  const ranges = new Map([...channels].map(([name, count]) => [name, createRanges(count)]));
  const shown = [...channels.keys()].map((name) => ({ name, dtype: 'float32' as const }));
  const graph = { ...model.graph, outputs: [...model.graph.outputs, ...shown] };
  const session = await createSession({ ...model, graph }, threads === undefined ? {} : { threads });
  const step = Math.max(1, texts.length / TEXTS);
  try {
    for (let at = 0; at < texts.length; at += step) {
      signal?.throwIfAborted();
      const values = await runBatch(session, collate([texts[Math.floor(at)]!], limits));
      for (const [name, range] of ranges) widenRanges(range, values[name]!.data as Float32Array);
    }
  } finally {
    await session.release();
  }
  return ranges;
}
