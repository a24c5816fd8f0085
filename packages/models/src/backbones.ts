/** Every family by its `model_type`. */
import { FormatError } from 'onnx-grad';
import type { Backbone } from './backbone.ts';
import { decoders } from './decoders/index.ts';
import { encoders } from './encoders/index.ts';

const backbones: Readonly<Record<string, Backbone>> = { ...encoders, ...decoders };

export const modelTypes = Object.keys(backbones);

/** @throws FormatError for a `model_type` we do not have, with the ones we have */
export function backboneFor(config: Readonly<Record<string, unknown>>, file = 'config.json'): Backbone {
  const modelType = config.model_type;
  if (typeof modelType === 'string' && Object.hasOwn(backbones, modelType)) {
    return backbones[modelType]!;
  }
  const got = JSON.stringify(modelType)?.slice(0, 80) ?? 'nothing';
  throw new FormatError(`${file}: "model_type": expected one of ${modelTypes.join(', ')}, got ${got}.`, {
    file,
    field: 'model_type',
  });
}
