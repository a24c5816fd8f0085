/** A Hugging Face classifier folder as a scorer, on our own engine. */
import path from 'node:path';
import { loadWeights } from '@harmaug/models/node';
import { emitModel } from 'onnx-grad';
import { createSession } from 'onnx-grad/node';
import type { InferenceSession } from 'onnxruntime-node';
import { classifierScorer, type EncoderOptions } from './classifier.node.ts';
import { classifyWith } from './onnx-session.node.ts';
import type { Scorer } from './scorer.ts';

/** @throws FormatError for a folder that is no classifier of safe and unsafe texts */
export async function openEncoderScorer(folder: string, options: EncoderOptions = {}): Promise<Scorer> {
  const { json, model, weights } = await loadWeights(folder, { head: 'sequence-classification' });
  const initializers = new Map([...weights].map(([name, values]) => [name, bytesOf(values)]));
  const outputs = new Map([['logits', model.output]]);
  if (model.categories) outputs.set('categories', model.categories);
  const record = emitModel(model.graph, outputs, { initializers });
  const session: InferenceSession = await createSession(record, { threads: options.threads ?? 0 });
  const file = path.join(folder, 'model.safetensors');
  const parts = { folder, json, config: model.config, file, ...classifyWith(session) };
  return await classifierScorer(parts, options).catch(async (error) => {
    await session.release();
    throw error;
  });
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
