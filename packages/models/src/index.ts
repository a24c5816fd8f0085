/** Transformer models as onnx-grad graphs, with Hugging Face checkpoints and tokenizers: the part that runs anywhere. */
export { type NamedTensor, type TensorType, tensorTypes, toFloat32 } from './checkpoint/dtypes.ts';
export { type MatchRequest, matchWeights, type WeightMatch } from './checkpoint/match.ts';
export { encodeSafetensors, parseSafetensorsHeader, type SafetensorsHeader } from './checkpoint/safetensors.ts';
export { loadTokenizer, type TokenizerOptions } from './tokenizers/load.ts';
export type { EncodedArrays, TextOrPair } from './tokenizers/pool-messages.ts';
export type {
  Encoded,
  EncodeOptions,
  SpecialIds,
  SpecialTokensInText,
  Tokenizer,
  TokenizerKind,
} from './tokenizers/tokenizer.ts';
export type { Truncation } from './tokenizers/truncation.ts';
