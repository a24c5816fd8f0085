/** A Hugging Face classifier, from a folder or the hub, as a scorer, on our own engine. */
import { inferenceModel, loadWeights, openModelFolder } from '@harmaug/models/node';
import { createSession } from 'onnx-grad/node';
import type { InferenceSession } from 'onnxruntime-node';
import { classifierScorer, type EncoderOptions, SEEN_PROMPTS_FILE, SETTINGS_FILE } from './classifier.node.ts';
import { classifyWith } from './onnx-session.node.ts';
import type { Score, Scorer } from './scorer.ts';

/** @throws FormatError for a folder that is no classifier of safe and unsafe texts */
export async function openEncoderScorer(guard: string, options: EncoderOptions = {}): Promise<Scorer<Score>> {
  const { folder, source } = await openModelFolder(guard, { ...options.hub, also: [SEEN_PROMPTS_FILE, SETTINGS_FILE] });
  const { json, model, weights, weightFiles } = await loadWeights(folder, { head: 'sequence-classification' });
  const session: InferenceSession = await createSession(inferenceModel(model, weights), {
    threads: options.threads ?? 0,
  });
  const from = source === null ? {} : { source: `${source.id}@${source.commit}` };
  const parts = { folder, ...from, json, config: model.config, files: weightFiles, ...classifyWith(session) };
  return await classifierScorer(parts, options).catch(async (error) => {
    await session.release();
    throw error;
  });
}
