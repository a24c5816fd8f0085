/** What scorers of two-class encoders share, whoever computes the logits. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultSettings, type GuardSettings, readSettings } from '@harmaug/guard';
import {
  type BaseConfig,
  type HubOptions,
  parseJsonObject,
  readCategoryNames,
  TokenizerPool,
  unsafeIndex,
} from '@harmaug/models/node';
import { decodePromptHashes } from '../data/prompt-hashes.node.ts';
import type { Row } from '../data/row.ts';
import { type ClassifyBatch, scoreEncoded, sigmoid } from './score-encoded.ts';
import type { Score, Scorer } from './scorer.ts';

export interface EncoderOptions {
  /** Tokens of a text or pair; longer ones are cut and say so. Default: what the model has positions for, at most 1024. */
  readonly maxLength?: number;
  readonly threads?: number;
  /** Whether threshold and temperature of the folder's guard.json hold. Default true. */
  readonly isCalibrated?: boolean;
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
}

export interface Classifier {
  /** Hub id with its commit, where the folder comes from there. */
  readonly source?: string;
  /** Hugging Face folder of config.json and the tokenizer. */
  readonly folder: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly config: BaseConfig;
  /** The files whose hash tells these weights from others, at least one. */
  readonly files: readonly string[];
  readonly classify: ClassifyBatch;
  readonly release: () => Promise<void>;
}

/** What `harmaug distill` leaves beside the weights: hashes of the prompts that the guard has seen. */
export const SEEN_PROMPTS_FILE = 'training-prompts.bin';

/** What `harmaug calibrate` leaves beside the weights. */
export const SETTINGS_FILE = 'guard.json';

const MOST_TOKENS = 1024; // of the paper's guard, whose relative positions have no end

/** @throws FormatError for a classifier that is none of safe and unsafe texts */
export async function classifierScorer(classifier: Classifier, options: EncoderOptions): Promise<Scorer<Score>> {
  const { folder, source, json, config, files, classify, release } = classifier;
  const unsafe = unsafeIndex(json, config.labels, folder);
  const categoryNames = readCategoryNames(json, path.join(folder, 'config.json'));
  const seen = await readSeenPrompts(path.join(folder, SEEN_PROMPTS_FILE));
  const maxLength = options.maxLength ?? Math.min(config.maxLength ?? Infinity, MOST_TOKENS);
  const { threshold, temperature } = await settingsOf(folder, options.isCalibrated ?? true);
  const pool = await TokenizerPool.open(folder);
  return {
    name: source ?? path.basename(path.resolve(folder)),
    about: {
      model: String(json.model_type),
      maxLength,
      file: path.basename(files[0]!),
      weights: await hashFiles(files),
      ...(source === undefined ? {} : { source }),
    },
    threshold,
    ...(seen ? { seenPrompts: seen } : {}),
    async score(rows, { signal, onProgress } = {}) {
      const encoded = await pool.encodeBatch(rows.map(textOf), { maxLength, ...(signal ? { signal } : {}) });
      const { margins, categories } = await scoreEncoded(classify, encoded, config, {
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress } : {}),
      });
      return Array.from(margins, (logOdds, row) => {
        const margin = (unsafe === 1 ? logOdds : -logOdds) / temperature;
        const category = categoryNames[categories[row]!];
        const isTruncated = encoded[row]!.removedTokens > 0;
        return { score: sigmoid(margin), margin, isTruncated, ...(category === undefined ? {} : { category }) };
      });
    },
    async dispose() {
      await pool.dispose();
      await release();
    },
  };
}

function textOf({ prompt, response }: Pick<Row, 'prompt' | 'response'>): string | [string, string] {
  return response === undefined ? prompt : [prompt, response];
}

async function settingsOf(folder: string, isCalibrated: boolean): Promise<GuardSettings> {
  const file = path.join(folder, SETTINGS_FILE);
  if (!isCalibrated || !existsSync(file)) return defaultSettings;
  return { ...defaultSettings, ...readSettings(parseJsonObject(new Uint8Array(await readFile(file)), file), file) };
}

async function readSeenPrompts(file: string): Promise<Set<bigint> | null> {
  return existsSync(file) ? decodePromptHashes(await readFile(file), file) : null;
}

/** Of all their bytes, one file after the other. */
async function hashFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}
