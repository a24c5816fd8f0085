/** A model for use: its weights inside, its attention as onnxruntime's one operation. */
import { emitModel, fuseAttention, type ModelRecord } from 'onnx-grad';
import type { Model } from './model.ts';

/**
 * @param model built without `training`
 * @returns an ONNX model of the inputs `input_ids`, `attention_mask` and, where the family has them, `token_type_ids`, and
 *   the output `logits`, with `categories` beside it where the model has that head
 */
export function inferenceModel(model: Model, weights: ReadonlyMap<string, Float32Array>): ModelRecord {
  const outputs = new Map([['logits', model.output]]);
  if (model.categories) outputs.set('categories', model.categories);
  const fused = fuseAttention(model.graph, outputs);
  const initializers = new Map([...weights].map(([name, values]) => [name, bytesOf(values)]));
  return emitModel(fused.graph, fused.outputs, { initializers, name: model.backbone.modelType });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
