/** What needs files and threads, with everything of index.ts. */
export { type CheckpointFolder, readFolder, tokenizerFileNames, writeFolder } from './checkpoint/folder.node.ts';
export { type ReadSafetensorsOptions, readSafetensors, writeSafetensors } from './checkpoint/safetensors.node.ts';
export {
  hasTraining,
  loadTraining,
  type SavedTraining,
  saveTraining,
  type TrainingToSave,
} from './checkpoint/training.node.ts';
export * from './index.ts';
export {
  type LoadedModel,
  type LoadedWeights,
  type LoadOptions,
  loadModel,
  loadWeights,
  type SavedModel,
  saveModel,
} from './load.node.ts';
export { openTokenizer } from './tokenizers/open.node.ts';
export { type EncodeBatchOptions, type PoolOptions, TokenizerPool } from './tokenizers/pool.node.ts';
