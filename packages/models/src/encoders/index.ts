/** The encoders by `model_type`. Adding one is a line here and a file of its own. */
import { FormatError } from 'onnx-grad';
import { bert } from './bert.ts';
import { debertaV2 } from './deberta-v2.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import type { BaseConfig, Encoder } from './encoder.ts';
import { modernbert } from './modernbert.ts';
import { roberta, xlmRoberta } from './roberta.ts';

const encoders = {
  bert,
  'deberta-v2': debertaV2,
  distilbert,
  electra,
  modernbert,
  roberta,
  'xlm-roberta': xlmRoberta,
} as const satisfies Record<string, unknown>;

export const modelTypes = Object.keys(encoders);

/** @throws FormatError for a `model_type` we do not have, with the ones we have */
export function encoderFor(config: Readonly<Record<string, unknown>>, file = 'config.json'): Encoder {
  const modelType = config.model_type;
  if (typeof modelType === 'string' && Object.hasOwn(encoders, modelType)) {
    return encoders[modelType as keyof typeof encoders] as unknown as Encoder<BaseConfig>;
  }
  const got = JSON.stringify(modelType)?.slice(0, 80) ?? 'nothing';
  throw new FormatError(`${file}: "model_type": expected one of ${modelTypes.join(', ')}, got ${got}.`, {
    file,
    field: 'model_type',
  });
}
