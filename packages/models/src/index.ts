/** Transformer models as onnx-grad graphs, with Hugging Face checkpoints and tokenizers: the part that runs anywhere. */

export { type Activation, activationNames } from './activations.ts';
export type { Backbone, BaseConfig, ModelInputs } from './backbone.ts';
export { backboneFor, modelTypes } from './backbones.ts';
export { readCategoryNames, withCategories } from './categories.ts';
export { type NamedTensor, type TensorType, tensorTypes, toFloat32 } from './checkpoint/dtypes.ts';
export type { Labels } from './checkpoint/label-names.ts';
export { type MatchRequest, matchWeights, type WeightMatch } from './checkpoint/match.ts';
export { encodeSafetensors, parseSafetensorsHeader, type SafetensorsHeader } from './checkpoint/safetensors.ts';
export { type BatchLabels, type BatchLimits, collate, type EncodedText } from './data/collate.ts';
export {
  computedPerReal,
  type DataPosition,
  type LengthBatchOptions,
  lengthBatches,
  paddedTokens,
} from './data/length-batches.ts';
export { isObject, type JsonObject, parseJsonObject } from './files/json.ts';
export { type JudgingHead, type ModelShape, modelShape } from './flops.ts';
export { parseGgufHeader } from './gguf/parse.ts';
export type { GgufWeightType } from './gguf/tensor-codecs.ts';
export type { GgufHeader, GgufTensor, GgufTensorType, GgufValue } from './gguf/types.ts';
export { apiAddress, readCommit } from './hub/api.ts';
export { DEFAULT_ENDPOINT, readEndpoint } from './hub/endpoint.ts';
export { errorOfStatus, HubError, type HubProblem } from './hub/errors.ts';
export { type HubId, isCommit, parseHubId } from './hub/id.ts';
export { inferenceModel } from './inference.ts';
export { initialize, mulberry32 } from './initialize.ts';
export { type BuildOptions, buildModel, type Head, type Model } from './model.ts';
export { parseModelConfig } from './model-config.ts';
export { type DropoutSite, type ParameterSpec, type Precision, Scope } from './scope.ts';
export { loadTokenizer, type TokenizerOptions } from './tokenizers/load.ts';
export type { EncodedArrays, TextOrPair } from './tokenizers/pool-messages.ts';
export { type ReadFile, readTokenizer } from './tokenizers/read.ts';
export type {
  Encoded,
  EncodeOptions,
  SpecialIds,
  SpecialTokensInText,
  Tokenizer,
  TokenizerKind,
} from './tokenizers/tokenizer.ts';
export { type BpeTraining, trainBpe } from './tokenizers/train-bpe.ts';
export type { Truncation } from './tokenizers/truncation.ts';
export { type ProgramOptions, trainingProgram } from './training.ts';
export { unsafeIndex } from './unsafe-label.ts';
