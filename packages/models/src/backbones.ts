/** Every family by its `model_type`. */
import type { Backbone } from './backbone.ts';
import { unknownModelType } from './config.ts';
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
  throw unknownModelType(modelType, modelTypes, file);
}
