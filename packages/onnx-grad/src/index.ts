/** Build ONNX graphs, differentiate them, train them: the part that runs anywhere. Files and threads: index.node.ts. */
export * from './errors.ts';
export { type AttentionOptions, attention } from './graph/attention.ts';
export { addDims, ceilDivide, exceeds, formatShape, mulDims, productOf, sameShape, subDims } from './graph/dims.ts';
export { embeddingLookup, type Lookup, onlyLookupOf } from './graph/embedding.ts';
export { type EmitOptions, emitModel } from './graph/emit.ts';
export { productFlops } from './graph/flops.ts';
export { fuseAttention } from './graph/fuse-attention.ts';
export { checkpoint, gradients, pullback } from './graph/gradients.ts';
export type { Constant, Graph, Value, ValueType } from './graph/graph.ts';
export type { OpAttributes, OpType } from './graph/op-types.ts';
export * as ops from './graph/ops.ts';
export { printGraph } from './graph/print.ts';
export { createGraph, opTable } from './graph/table.ts';
export { type ActivationRange, type ChannelRanges, createRanges, widenRanges } from './inference/channel-ranges.ts';
export { isWorthBytes, productActivations, type TrainedBytes, trainedBytes } from './inference/product.ts';
export { type ProjectedTables, projectTables } from './inference/project-tables.ts';
export {
  type Quantization,
  type QuantizedModel,
  type QuantizeOptions,
  quantizations,
  quantizeModel,
} from './inference/quantize-model.ts';
export type * from './onnx/model.ts';
export { BinaryReader, WireType } from './onnx/protobuf.ts';
export {
  causalLanguageModelLoss,
  countedLabels,
  crossEntropy,
  IGNORED_LABEL,
  maskedLanguageModelLoss,
  meanSquaredError,
  softLabelLoss,
} from './train/losses.ts';
export {
  type Batch,
  type BatchTensor,
  type Dropout,
  planGradients,
  type TrainedParameter,
  type TrainingProgram,
} from './train/program.ts';
export * as schedules from './train/schedules.ts';
export { DivergedError } from './train/state.ts';
export type { Predictor, StepResult, Trainer, TrainerOptions, TrainerState } from './train/trainer.ts';
