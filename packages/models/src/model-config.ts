/** What a config.json of any family says, without the graphs that backbones.ts brings: for those who run exported models. */
import type { BaseConfig } from './backbone.ts';
import { unknownModelType } from './config.ts';
import { parseLlamaConfig } from './decoders/llama.ts';
import { parseQwen2Config } from './decoders/qwen2.ts';
import { parseBertConfig } from './encoders/bert.ts';
import { parseDebertaConfig } from './encoders/deberta-v2.ts';
import { parseDistilbertConfig } from './encoders/distilbert.ts';
import { parseElectraConfig } from './encoders/electra.ts';
import { parseModernBertConfig } from './encoders/modernbert.ts';
import { parseRobertaConfig, parseXlmRobertaConfig } from './encoders/roberta.ts';

type ParseConfig = (json: Readonly<Record<string, unknown>>, file?: string) => BaseConfig;

export const configParsers: Readonly<Record<string, ParseConfig>> = {
  bert: parseBertConfig,
  'deberta-v2': parseDebertaConfig,
  distilbert: parseDistilbertConfig,
  electra: parseElectraConfig,
  llama: parseLlamaConfig,
  modernbert: parseModernBertConfig,
  qwen2: parseQwen2Config,
  roberta: parseRobertaConfig,
  'xlm-roberta': parseXlmRobertaConfig,
};

/** @throws FormatError for a `model_type` we do not have, or a field out of range */
export function parseModelConfig(json: Readonly<Record<string, unknown>>, file = 'config.json'): BaseConfig {
  const { model_type: modelType } = json;
  if (typeof modelType === 'string' && Object.hasOwn(configParsers, modelType)) {
    return configParsers[modelType]!(json, file);
  }
  throw unknownModelType(modelType, Object.keys(configParsers), file);
}
