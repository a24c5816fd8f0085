/** A guard from the files of its folder, wherever they are, checked once so that it answers every text afterwards. */
import {
  collate,
  parseJsonObject,
  parseModelConfig,
  type ReadFile,
  readCategoryNames,
  readTokenizer,
  unsafeIndex,
} from '@harmaug/models';
import { ConfigError, FormatError } from 'onnx-grad';
import type { GuardParts } from './guard.ts';
import type { OpenedModel } from './session.ts';
import { defaultSettings, type GuardSettings, readSettings, SETTINGS_FILE } from './settings.ts';

/** What a guard was exported as, the smallest first. */
const files = { int8: 'model_quantized.onnx', q4: 'model_q4.onnx', fp32: 'model.onnx' } as const;

export type Dtype = keyof typeof files;
export const dtypes = Object.keys(files) as Dtype[];

export interface GuardOptions extends Partial<GuardSettings> {
  /** Default: the first that is there of int8, q4, fp32. */
  readonly dtype?: Dtype;
  /** Tokens of a window, special ones included. Default: what the model has positions for, at most 512. */
  readonly maxLength?: number;
  /** Of the CPU. Default: all cores. */
  readonly threads?: number;
  /** Ends loading. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** Bytes of the guard's files; `total` counts those that were begun or found. */
export interface LoadProgress {
  readonly loaded: number;
  readonly total: number;
}

/** A guard's folder. */
export interface GuardSource {
  /** For errors: the folder, its address or its hub id. */
  readonly where: string;
  readonly read: ReadFile;
  has(file: string): Promise<boolean>;
  openModel(file: string, options: GuardOptions): Promise<OpenedModel>;
}

const MOST_TOKENS = 512;
const MOST_JSON_BYTES = 100_000_000;

/** The exported models to choose from, in order. @throws ConfigError for a dtype that is none */
export function modelFiles(dtype: Dtype | undefined, order: readonly Dtype[] = dtypes): string[] {
  if (dtype !== undefined && !dtypes.includes(dtype)) {
    throw new ConfigError(`dtype: expected one of ${dtypes.join(', ')}, got ${JSON.stringify(dtype)}.`);
  }
  return (dtype === undefined ? order : [dtype]).map((name) => `onnx/${files[name]}`);
}

/**
 * @param candidates models to choose from: the first that is there
 * @throws FormatError, ConfigError for a folder that is no exported guard, in one line
 */
export async function readGuard(
  source: GuardSource,
  candidates: readonly string[],
  options: GuardOptions,
): Promise<GuardParts> {
  const { where } = source;
  const configFile = `${where}/config.json`;
  const configBytes = await source.read('config.json', MOST_JSON_BYTES);
  if (configBytes === null) {
    throw new FormatError(`${where} has no config.json. Expected the folder of a guard.`, { file: configFile });
  }
  const modelFile = await findModel(source, candidates);
  const json = parseJsonObject(configBytes, configFile);
  const config = parseModelConfig(json, configFile);
  const unsafe = unsafeIndex(json, config.labels, where);
  const categoryNames = readCategoryNames(json, configFile);
  const settings = await settingsOf(source, options);
  const tokenizer = await readTokenizer(source.read, where);
  if (tokenizer.vocabSize > config.vocabSize) {
    const message = `${where}: the tokenizer has ids up to ${tokenizer.vocabSize - 1}, the embeddings ${config.vocabSize} rows.`;
    throw new FormatError(`${message} They are of different models.`, { file: configFile, field: 'vocab_size' });
  }
  const longest = config.maxLength ?? Infinity;
  const maxLength = options.maxLength ?? Math.min(longest, MOST_TOKENS);
  if (!Number.isInteger(maxLength) || maxLength > longest) {
    throw new ConfigError(`maxLength: expected a whole number of at most ${longest}, got ${maxLength}.`);
  }
  options.signal?.throwIfAborted();
  const model = await source.openModel(modelFile, options);
  const parts = { tokenizer, limits: config, settings, unsafe, categoryNames, maxLength, ...model };
  await tryOut(parts, `${where}/${modelFile}`).catch(async (error) => {
    await model.release();
    throw error;
  });
  return parts;
}

async function findModel(source: GuardSource, candidates: readonly string[]): Promise<string> {
  for (const file of candidates) if (await source.has(file)) return file;
  const { where } = source;
  const message = `${where} has no ${candidates.join(' or ')}. Export it first: harmaug export ${where}`;
  throw new FormatError(message, { file: where });
}

async function settingsOf({ where, read }: GuardSource, options: GuardOptions): Promise<GuardSettings> {
  const file = `${where}/${SETTINGS_FILE}`;
  const bytes = await read(SETTINGS_FILE, MOST_JSON_BYTES);
  const stored = bytes === null ? {} : readSettings(parseJsonObject(bytes, file), file);
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
