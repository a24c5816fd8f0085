/**
 * A training run on disk: a Hugging Face folder (config.json, model.safetensors, tokenizer files) with the optimizer's
 * moments (optimizer.safetensors), where the run stood (training.json) and, in int8, the ranges of activations
 * (activation_ranges.json). Resumed, it gives the unbroken run's losses.
 */
import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { FormatError, type TrainerState } from 'onnx-grad';
import { type JsonObject, parseJsonObject } from '../files/json.ts';
import { readLimited, writeAside } from '../files/limited.node.ts';
import type { SavedModel } from '../load.node.ts';
import { describeModel, namedWeights } from '../load.node.ts';
import { readRanges, writeRanges } from './activation-ranges.node.ts';
import { type NamedTensor, toFloat32 } from './dtypes.ts';
import { readLocalFolder, writeFolder } from './folder.node.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';
import { findFolder, replaceFolder } from './swap.node.ts';
import { formatRecord, parseRecord, type TrainingRecord } from './training-record.ts';

const MAX_RECORD_BYTES = 10_000_000;

/** torch.optim.AdamW's names for the two moments. */
const moments = { firstMoments: 'exp_avg', secondMoments: 'exp_avg_sq' } as const;

export interface TrainingToSave
  extends Omit<SavedModel, 'weights'>,
    Pick<TrainingRecord, 'position' | 'options' | 'dataHash'> {
  /** From `trainer.state()`. */
  readonly state: TrainerState;
}

export interface SavedTraining extends TrainingRecord {
  /** config.json */
  readonly json: JsonObject;
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  /** For `trainer.restore`; its parameters are also the weights to build the program with. */
  readonly state: TrainerState;
}

/**
 * Saves a run. The folder is written aside and put in place whole: whenever the process is killed, `loadTraining` finds
 * this checkpoint or the one before.
 */
export async function saveTraining(folder: string, training: TrainingToSave): Promise<void> {
  const { json, model, head, tokenizerFiles, state, position, options, dataHash } = training;
  await replaceFolder(folder, async (aside) => {
    await writeFolder(aside, {
      config: describeModel(json, model, head),
      weights: namedWeights(model, state.parameters),
      ...(tokenizerFiles ? { tokenizerFiles } : {}),
    });
    const optimizer = new Map<string, NamedTensor>();
    for (const [kind, prefix] of Object.entries(moments)) {
      const tensors = namedWeights(model, state[kind as keyof typeof moments]);
      for (const [name, tensor] of tensors) optimizer.set(`${prefix}.${name}`, tensor);
    }
    await writeSafetensors(path.join(aside, 'optimizer.safetensors'), optimizer);
    if (state.ranges) await writeRanges(aside, state.ranges);
    const { step, seed } = state;
    const record = formatRecord({ step, seed, position, options, dataHash, versions: readVersions() });
    await writeAside(path.join(aside, 'training.json'), [new TextEncoder().encode(record)]);
  });
}

/** Whether `saveTraining` has written there. */
export function hasTraining(folder: string): boolean {
  return existsSync(findFolder(folder));
}

/**
 * Reads what `saveTraining` wrote.
 * @throws FormatError when there is none, or a file is damaged or does not fit the others
 */
export async function loadTraining(folder: string): Promise<SavedTraining> {
  const at = findFolder(folder);
  const file = path.join(at, 'training.json');
  const { config, weights, tokenizerFiles } = await readLocalFolder(at);
  const record = parseRecord(parseJsonObject(await readRecord(file), file), file);
  const optimizerFile = path.join(at, 'optimizer.safetensors');
  const optimizer = await readSafetensors(optimizerFile);
  const parameters = new Map([...weights].map(([name, tensor]) => [name, toFloat32(tensor)]));
  const readMoments = (prefix: string) =>
    new Map(
      [...weights].map(([name, { shape }]) => {
        const field = `${prefix}.${name}`;
        const tensor = optimizer.get(field);
        if (tensor?.dtype !== 'float32' || tensor.shape.join() !== shape.join()) {
          const got = tensor ? `${tensor.dtype} (${tensor.shape})` : 'nothing';
          const message = `${optimizerFile}: "${field}": expected float32 (${shape}) as in model.safetensors, got ${got}.`;
          throw new FormatError(message, { file: optimizerFile, field });
        }
        return [name, toFloat32(tensor)];
      }),
    );
  const { step, seed } = record;
  const [firstMoments, secondMoments] = [readMoments(moments.firstMoments), readMoments(moments.secondMoments)];
  if (optimizer.size !== 2 * weights.size) {
    throw new FormatError(`${optimizerFile}: ${optimizer.size} tensors, expected ${2 * weights.size}.`, {
      file: optimizerFile,
    });
  }
  const ranges = await readRanges(at);
  const state = { step, seed, parameters, firstMoments, secondMoments, ...(ranges ? { ranges } : {}) };
  return { ...record, json: config, tokenizerFiles, state };
}

async function readRecord(file: string): Promise<Uint8Array> {
  try {
    return await readLimited(file, MAX_RECORD_BYTES);
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause;
    throw new FormatError(`${file} is missing. The folder holds a model, but no training to resume.`, { file, cause });
  }
}

/** Of what computes the numbers: another version may round differently. */
function readVersions(): Record<string, string> {
  const onnxGrad = findPackageJSON('onnx-grad', import.meta.url);
  const runtime = onnxGrad && findPackageJSON('onnxruntime-node', onnxGrad);
  const versionIn = (file: string | undefined) =>
    file === undefined ? 'unknown' : String(JSON.parse(readFileSync(file, 'utf8')).version);
  return { node: process.versions.node, 'onnx-grad': versionIn(onnxGrad), 'onnxruntime-node': versionIn(runtime) };
}
