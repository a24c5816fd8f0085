/** A tiny exported guard that finds rude words rude, for tests: BERT of one layer, weights set by hand where it matters. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildModel, inferenceModel, initialize } from '@harmaug/models';
import { saveModel } from '@harmaug/models/node';
import { quantizeModel } from 'onnx-grad';
import { writeModelFile } from 'onnx-grad/node';

export const rude = ['ugly', 'stupid', 'awful', 'lazy'];
export const kind = ['lovely', 'clever', 'great', 'nice', 'busy'];
const others =
  'how to do i make a the cake plan garden is your dog song you are my friend and with in of for it what'.split(' ');
const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,!?'];
export const vocabulary = [
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  ...new Set([...rude, ...kind, ...others, ...letters, ...letters.map((letter) => `##${letter}`)]),
];

export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'harmaug-guard-'));
}

export interface TinyOptions {
  readonly labels?: readonly string[];
  readonly positions?: number;
  readonly categories?: readonly string[];
  /** Whether there is one in 8 bits beside it. */
  readonly int8?: boolean;
}

/** Folder with config.json, vocab.txt, weights and onnx/model.onnx. */
export async function writeTinyGuard(folder: string, options: TinyOptions = {}): Promise<string> {
  const { labels = ['safe', 'unsafe'], positions = 64, categories, int8 = false } = options;
  const json = {
    model_type: 'bert',
    vocab_size: vocabulary.length,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: positions,
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    ...(categories ? { category_names: categories } : {}),
  };
  const model = buildModel(json, { head: 'sequence-classification' });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.3, 7)]));
  const tokenizerFiles = new Map([['vocab.txt', new TextEncoder().encode(vocabulary.join('\n'))]]);
  await saveModel(folder, { json, model, weights, tokenizerFiles });
  await mkdir(path.join(folder, 'onnx'), { recursive: true });
  const record = inferenceModel(model, weights);
  await writeModelFile(path.join(folder, 'onnx', 'model.onnx'), record);
  if (int8) {
    const quantized = quantizeModel(record, { kind: 'int8' }).model;
    await writeModelFile(path.join(folder, 'onnx', 'model_quantized.onnx'), quantized);
  }
  return folder;
}

export async function writeSettings(folder: string, settings: object): Promise<void> {
  await writeFile(path.join(folder, 'guard.json'), JSON.stringify(settings));
}
