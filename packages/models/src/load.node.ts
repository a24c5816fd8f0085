/** Hugging Face folders as models ready to train or run, and back. */
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { withCategories } from './categories.ts';
import type { NamedTensor } from './checkpoint/dtypes.ts';
import { type FillOptions, fillWeights } from './checkpoint/fill.ts';
import { type ReadFolderResult, readFolder, type WriteFolderOptions, writeFolder } from './checkpoint/folder.node.ts';
import { type Labels, withLabels } from './checkpoint/label-names.ts';
import type { JsonObject } from './files/json.ts';
import { INDEX_FILE } from './files/model-files.ts';
import type { HubOptions } from './hub/hub.ts';
import { type BuildOptions, buildModel, type Head, type Model } from './model.ts';
import { loadTokenizer, type TokenizerOptions } from './tokenizers/load.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';

export interface LoadOptions extends Omit<BuildOptions, 'file'>, Partial<Omit<FillOptions, 'file'>> {
  /** Classes of the head; default those of config.json. */
  readonly labels?: Labels;
  /** Names of hazard categories, for a second head; default those of config.json, if any. */
  readonly categories?: readonly string[];
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
}

/** Where a model was read from. */
export type LoadedFrom = Pick<ReadFolderResult, 'folder' | 'weightFiles' | 'source'>;

export interface LoadedWeights {
  /** config.json, with the labels asked for. */
  readonly json: JsonObject;
  readonly model: Model;
  readonly weights: Map<string, Float32Array>;
  /** Parameters that the folder had no weights for and that started fresh. */
  readonly fresh: readonly string[];
  /** File name -> bytes, to be saved along. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
}

export interface LoadedModel extends LoadedWeights {
  readonly tokenizer: Tokenizer;
}

/**
 * Reads the model and tokenizer of a folder or hub id (`owner/name`, `owner/name@revision`); a folder comes first.
 * @example
 * const { model, weights, tokenizer } = await loadModel('minilm', {
 *   head: 'sequence-classification', labels: 2, initialiseHead: true, seed: 42, training: true,
 * });
 * @throws FormatError for damaged files, weights that do not fit, a missing head without `initialiseHead`, a tokenizer
 *   with ids beyond the model's vocabulary
 */
export async function loadModel(
  name: string,
  options: LoadOptions & TokenizerOptions,
): Promise<LoadedModel & LoadedFrom> {
  const { specialTokensInText, ...rest } = options;
  const loaded = await loadWeights(name, rest);
  const tokenizer = loadTokenizer(loaded.tokenizerFiles, specialTokensInText ? { specialTokensInText } : {});
  const { vocabSize } = loaded.model.config;
  if (tokenizer.vocabSize > vocabSize) {
    const problem = `the tokenizer has ids up to ${tokenizer.vocabSize - 1}, the model's vocabulary ends at ${vocabSize - 1}`;
    const file = path.join(loaded.folder, 'config.json');
    throw new FormatError(`${name}: ${problem}. They are not of one model.`, { file, field: 'vocab_size' });
  }
  return { ...loaded, tokenizer };
}

/** The same without a tokenizer; `tokenizerFiles` is empty where the folder has none. */
export async function loadWeights(name: string, options: LoadOptions): Promise<LoadedWeights & LoadedFrom> {
  const { labels, categories, initialiseHead = false, seed = 0, hub, ...build } = options;
  const read = await readFolder(name, hub ? { hub } : {});
  const { config, weights: found, tokenizerFiles, weightFiles, folder, source } = read;
  const labelled = labels === undefined ? config : withLabels(config, labels);
  const json = categories === undefined ? labelled : withCategories(labelled, categories);
  const model = buildModel(json, { ...build, file: path.join(folder, 'config.json') });
  const file = weightFiles.length === 1 ? weightFiles[0]! : path.join(folder, INDEX_FILE);
  const filled = fillWeights(model, found, { file, initialiseHead, seed });
  return { folder, source, weightFiles, json, model, tokenizerFiles, ...filled };
}

export interface SavedModel {
  readonly json: JsonObject;
  readonly model: Model;
  /** Head that `model` was built with; it names the class that transformers loads. Default sequence classification. */
  readonly head?: Head;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly tokenizerFiles?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes a folder that transformers' `from_pretrained` loads, tokenizer files included.
 * @throws ConfigError when a parameter of the model has no weights
 */
export async function saveModel(
  folder: string,
  { json, model, head, weights, tokenizerFiles }: SavedModel,
  options: WriteFolderOptions = {},
): Promise<void> {
  const config = describeModel(json, model, head);
  const checkpoint = { config, weights: namedWeights(model, weights), ...(tokenizerFiles ? { tokenizerFiles } : {}) };
  await writeFolder(folder, checkpoint, options);
}

const classSuffixes: Readonly<Record<Head, string>> = {
  'sequence-classification': 'ForSequenceClassification',
  'masked-lm': 'ForMaskedLM',
  'causal-lm': 'ForCausalLM',
  'mean-pooling': 'Model',
  none: 'Model',
};

/** config.json of a model as it is written: its class, its labels, float32. */
export function describeModel(json: JsonObject, model: Model, head: Head = 'sequence-classification'): JsonObject {
  const { architectures: _, torch_dtype: __, ...rest } = json;
  const described = head === 'sequence-classification' ? withLabels(rest, model.config.labels) : rest;
  return { architectures: [model.backbone.className + classSuffixes[head]], ...described, dtype: 'float32' };
}

/** A model's parameters as a checkpoint's tensors: views, not copies. */
export function namedWeights(model: Model, weights: ReadonlyMap<string, Float32Array>): Map<string, NamedTensor> {
  return new Map(
    [...model.scope.parameters.values()].map(({ name, shape }) => {
      const values = weights.get(name);
      if (!values) throw new ConfigError(`No weights for "${name}" (${shape.join(', ')}).`);
      const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return [name, { dtype: 'float32', shape, data }];
    }),
  );
}
