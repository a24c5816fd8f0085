/** What needs files and threads, with everything of index.ts. */
export { readRanges, writeRanges } from './checkpoint/activation-ranges.node.ts';
export type { ActivationRangeTable } from './checkpoint/activation-ranges.ts';
export {
  type CheckpointFolder,
  type ReadFolderResult,
  readFolder,
  type WriteFolderOptions,
  writeFolder,
} from './checkpoint/folder.node.ts';
export { type ReadSafetensorsOptions, readSafetensors, writeSafetensors } from './checkpoint/safetensors.node.ts';
export {
  hasTraining,
  loadTraining,
  type SavedTraining,
  saveTraining,
  type TrainingToSave,
} from './checkpoint/training.node.ts';
export { readLimited } from './files/limited.node.ts';
export { tokenizerFileNames } from './files/model-files.ts';
export {
  type GgufModel,
  type GgufTensorValues,
  readGguf,
  readGgufConfig,
  readGgufHeader,
  readGgufTensors,
} from './gguf/read.node.ts';
export { type GgufSource, type WrittenGguf, writeGguf } from './gguf/write.node.ts';
export type { HubSource } from './hub/fetch.node.ts';
export type { Clock, HubOptions, HubProgress } from './hub/hub.ts';
export {
  type FetchedFile,
  fetchHubFile,
  type OpenedFolder,
  type OpenFolderOptions,
  openModelFolder,
} from './hub/open-folder.node.ts';
export * from './index.ts';
export {
  type LoadedFrom,
  type LoadedModel,
  type LoadedWeights,
  type LoadOptions,
  loadModel,
  loadWeights,
  type SavedModel,
  saveModel,
} from './load.node.ts';
export { openTokenizer } from './open-tokenizer.node.ts';
export type { OpenTokenizerOptions } from './tokenizers/open.node.ts';
export { type EncodeBatchOptions, type PoolOptions, TokenizerPool } from './tokenizers/pool.node.ts';
