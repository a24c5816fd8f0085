/** What the distillation benchmark trains: a fixed part of the data, the settings of the usual fine-tuning. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';

export interface DistillCase {
  /** Hugging Face folder. */
  readonly model: string;
  /** JSONL files of our own contract. */
  readonly train: string;
  readonly validation: string;
  readonly batch: number;
  readonly maxLength: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly seed: number;
  /** Of the peer: whether batches are grouped by length. */
  readonly grouped: boolean;
}

const TRAINING_ROWS = 4000;
const VALIDATION_ROWS = 600;
const SEED = 1;

export const settings = {
  batch: 32,
  maxLength: 256,
  epochs: 1,
  learningRate: 1e-4,
  warmupSteps: 12,
  seed: SEED,
} as const;

/** Draws the rows of both files from a folder with prompts.jsonl and pairs.jsonl, into a temporary folder. `null` without. */
export function drawRows(data: string): { train: string; validation: string } | null {
  const files = ['prompts.jsonl', 'pairs.jsonl'].map((name) => path.join(data, name));
  if (!files.every((file) => existsSync(file))) return null;
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean));
  const uniform = mulberry32(SEED);
  const shuffled = lines.map((line) => ({ line, key: uniform() })).sort((a, b) => a.key - b.key);
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-bench-'));
  const write = (name: string, from: number, count: number) => {
    const file = path.join(folder, name);
    writeFileSync(
      file,
      shuffled
        .slice(from, from + count)
        .map(({ line }) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
    return file;
  };
  return {
    train: write('train.jsonl', 0, TRAINING_ROWS),
    validation: write('validation.jsonl', TRAINING_ROWS, VALIDATION_ROWS),
  };
}
