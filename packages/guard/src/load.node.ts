/** A guard from a folder or a hub id, checked once so that it answers every text afterwards. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  backboneFor,
  collate,
  type HubOptions,
  openModelFolder,
  openTokenizer,
  parseJsonObject,
  readCategoryNames,
  readLimited,
  unsafeIndex,
} from '@harmaug/models/node';
import { ConfigError, FormatError } from 'onnx-grad';
import type { GuardParts } from './guard.ts';
import { type OpenedModel, openModel } from './session.node.ts';
import { defaultSettings, type GuardSettings, readSettings, SETTINGS_FILE } from './settings.ts';

/** What a guard was exported as, the smallest first. */
const files = { int8: 'model_quantized.onnx', q4: 'model_q4.onnx', fp32: 'model.onnx' } as const;

export type Dtype = keyof typeof files;
export const dtypes = Object.keys(files) as Dtype[];

export interface LoadOptions extends Partial<GuardSettings> {
  /** Default: the first that is there of int8, q4, fp32. */
  readonly dtype?: Dtype;
  /** Tokens of a window, special ones included. Default: what the model has positions for, at most 512. */
  readonly maxLength?: number;
  /** Of the CPU. Default: all cores. */
  readonly threads?: number;
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
}

const MOST_TOKENS = 512;
const MOST_JSON_BYTES = 100_000_000;

/** @throws FormatError, ConfigError for a folder that is no exported guard, in one line */
export async function readGuard(name: string, options: LoadOptions = {}): Promise<GuardParts> {
  const also = [SETTINGS_FILE, ...Object.values(files).map((file) => `onnx/${file}`)];
  const { folder } = await openModelFolder(name, { ...options.hub, also });
  const configFile = path.join(folder, 'config.json');
  if (!existsSync(configFile)) {
    throw new FormatError(`${folder} has no config.json. Expected the folder of a guard.`, { file: configFile });
  }
  const file = pickFile(folder, options.dtype);
  const json = parseJsonObject(await readLimited(configFile, MOST_JSON_BYTES), configFile);
  const config = backboneFor(json, configFile).parseConfig(json, configFile);
  const unsafe = unsafeIndex(json, config.labels, folder);
  const categoryNames = readCategoryNames(json, configFile);
  const settings = await settingsOf(folder, options);
  const tokenizer = await openTokenizer(folder);
  if (tokenizer.vocabSize > config.vocabSize) {
    const message = `${folder}: the tokenizer has ids up to ${tokenizer.vocabSize - 1}, the embeddings ${config.vocabSize} rows.`;
    throw new FormatError(`${message} They are of different models.`, { file: configFile, field: 'vocab_size' });
  }
  const longest = config.maxLength ?? Infinity;
  const maxLength = options.maxLength ?? Math.min(longest, MOST_TOKENS);
  if (!Number.isInteger(maxLength) || maxLength > longest) {
    throw new ConfigError(`maxLength: expected a whole number of at most ${longest}, got ${maxLength}.`);
  }
  const model = await openModel(file, options.threads ?? 0);
  const parts = { tokenizer, limits: config, settings, unsafe, categoryNames, maxLength, ...model };
  await tryOut(parts, file).catch(async (error) => {
    await model.release();
    throw error;
  });
  return parts;
}

function pickFile(folder: string, dtype: Dtype | undefined): string {
  if (dtype !== undefined && !dtypes.includes(dtype)) {
    throw new ConfigError(`dtype: expected one of ${dtypes.join(', ')}, got ${JSON.stringify(dtype)}.`);
  }
  const wanted = dtype === undefined ? dtypes : [dtype];
  const found = wanted.map((name) => path.join(folder, 'onnx', files[name])).find((file) => existsSync(file));
  if (found !== undefined) return found;
  const missing = wanted.map((name) => `onnx/${files[name]}`).join(' or ');
  throw new FormatError(`${folder} has no ${missing}. Export it first: harmaug export ${folder}`, { file: folder });
}

async function settingsOf(folder: string, options: LoadOptions): Promise<GuardSettings> {
  const file = path.join(folder, SETTINGS_FILE);
  const stored = existsSync(file)
    ? readSettings(parseJsonObject(await readLimited(file, MOST_JSON_BYTES), file), file)
    : {};
  const given = Object.keys(defaultSettings).flatMap((name) => {
    const value = options[name as keyof GuardSettings];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...defaultSettings, ...stored, ...readSettings(Object.fromEntries(given), 'options') };
}

/** Runs the highest id of the tokenizer through the model: it finds a row for it, and gives what config.json promises. */
async function tryOut({ tokenizer, limits, classify, categoryNames }: GuardParts & OpenedModel, file: string) {
  const highest = tokenizer.assemble([tokenizer.vocabSize - 1], undefined);
  const { logits, categories } = await classify(collate([highest], limits)).catch((cause: Error) => {
    if (cause instanceof FormatError) throw cause;
    const message = `${file} does not take the tokenizer's ids or config.json's sizes. They are of different models.`;
    throw new FormatError(message, { file, cause });
  });
  const numbers = [logits.length, categories?.length ?? 0];
  const expected = [2, categoryNames.length];
  if (numbers[0] === expected[0] && numbers[1] === expected[1] && logits.every(Number.isFinite)) return;
  const problem = `gives ${numbers[0]} logits and ${numbers[1]} categories, expected ${expected[0]} and ${expected[1]}`;
  throw new FormatError(`${file} ${problem}, all finite.`, { file });
}
