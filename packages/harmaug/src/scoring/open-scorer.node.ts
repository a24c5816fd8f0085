/** What `--guard` may name. */
import type { EncoderOptions } from './classifier.node.ts';
import { openEncoderScorer } from './encoder-scorer.node.ts';
import { openOnnxScorer } from './onnx-scorer.node.ts';
import type { Score, Scorer } from './scorer.ts';

/** A Hugging Face folder or hub id, or an ONNX file of a folder. */
export function openScorer(guard: string, options: EncoderOptions = {}): Promise<Scorer<Score>> {
  return guard.endsWith('.onnx') ? openOnnxScorer(guard, options) : openEncoderScorer(guard, options);
}
