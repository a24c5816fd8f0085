import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from 'onnx-grad';
import { type JsonObject, parseJsonObject } from '../files/json.ts';
import { listFolder, readLimited, writeAside } from '../files/limited.node.ts';
import type { NamedTensor } from './dtypes.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';

/** A Hugging Face checkpoint folder: config.json, model.safetensors and the tokenizer's files. */

const MAX_CONFIG_BYTES = 10_000_000;
const MAX_TOKENIZER_BYTES = 64 * 2 ** 20;

/** Files that make up a tokenizer; they travel with the weights unchanged. */
export const tokenizerFileNames = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'spm.model',
  'sentencepiece.bpe.model',
] as const;

// Fields that transformers 5 takes as floats alone. JavaScript writes 2.0 as 2, which it would refuse.
const WHOLE_FLOAT = /^( {2}"(?:initializer_range|initializer_cutoff_factor|layer_norm_eps|norm_eps)": \d+)(,?)$/gm;

export interface CheckpointFolder {
  readonly config: JsonObject;
  readonly weights: ReadonlyMap<string, NamedTensor>;
  /** File name -> bytes, for those of `tokenizerFileNames` that exist. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
}

/** What may lie there instead of model.safetensors, and what to do about it. First match wins. */
const otherWeights: readonly { readonly file: string; readonly remedy: string }[] = [
  {
    file: 'model.safetensors.index.json',
    remedy:
      'Weights split over several files are not supported yet. ' +
      'Save them as one with transformers: model.save_pretrained(folder, max_shard_size="100GB").',
  },
  {
    file: 'pytorch_model.bin',
    remedy:
      'Pickled weights can run code when they are opened, so they are not read. ' +
      'Convert them with transformers: AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True).',
  },
  { file: 'tf_model.h5', remedy: 'Save the model again with transformers, as safetensors.' },
  { file: 'flax_model.msgpack', remedy: 'Save the model again with transformers, as safetensors.' },
];

/**
 * Reads a checkpoint folder.
 * @throws FormatError when the folder, config.json or model.safetensors is missing or damaged; it says what was found
 */
export async function readFolder(folder: string): Promise<CheckpointFolder> {
  const names = await listFolder(folder);
  const config = await readConfig(folder, names);
  if (!names.has('model.safetensors')) throw missingWeights(folder, names);
  const tokenizerFiles = new Map<string, Uint8Array>();
  for (const name of tokenizerFileNames) {
    if (names.has(name)) tokenizerFiles.set(name, await readLimited(join(folder, name), MAX_TOKENIZER_BYTES));
  }
  return { config, weights: await readSafetensors(join(folder, 'model.safetensors')), tokenizerFiles };
}

async function readConfig(folder: string, names: Set<string>): Promise<JsonObject> {
  const file = join(folder, 'config.json');
  if (!names.has('config.json')) {
    throw new FormatError(`${folder} has no config.json. Expected a Hugging Face checkpoint folder.`, { file });
  }
  return parseJsonObject(await readLimited(file, MAX_CONFIG_BYTES), file);
}

function missingWeights(folder: string, names: Set<string>): FormatError {
  const other = otherWeights.find(({ file }) => names.has(file));
  const found = other === undefined ? `Found: ${[...names].sort().slice(0, 10).join(', ')}.` : `Found ${other.file}.`;
  const message = `${folder} has no model.safetensors. ${found}${other === undefined ? '' : ` ${other.remedy}`}`;
  return new FormatError(message, { file: join(folder, 'model.safetensors') });
}

/**
 * Writes a checkpoint folder that transformers loads; it is created when missing, readable by its owner only.
 * config.json comes last, so a folder that has one is complete.
 */
export async function writeFolder(
  folder: string,
  checkpoint: Omit<CheckpointFolder, 'tokenizerFiles'> & Partial<Pick<CheckpointFolder, 'tokenizerFiles'>>,
): Promise<void> {
  if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o700);
  await writeSafetensors(join(folder, 'model.safetensors'), checkpoint.weights);
  for (const [name, bytes] of checkpoint.tokenizerFiles ?? []) await writeAside(join(folder, name), [bytes]);
  const json = `${JSON.stringify(checkpoint.config, null, 2).replace(WHOLE_FLOAT, '$1.0$2')}\n`;
  await writeAside(join(folder, 'config.json'), [new TextEncoder().encode(json)]);
}
