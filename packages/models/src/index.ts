/** Encoders as graphs, their checkpoints and tokenizers: the part that runs anywhere. Files and threads: index.node.ts. */
export { type Activation, activationNames } from './activations.ts';
export type { BaseConfig, Encoder, EncoderInputs } from './encoders/encoder.ts';
export { encoderFor, modelTypes } from './encoders/index.ts';
export { initialize, mulberry32 } from './initialize.ts';
export { type BuildOptions, buildModel, type Head, type Model } from './model.ts';
export { type DropoutSite, type ParameterSpec, Scope } from './scope.ts';
export { type ProgramOptions, trainingProgram } from './training.ts';
