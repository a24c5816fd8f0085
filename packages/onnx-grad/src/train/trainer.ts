/** The trainer as its users see it: one step after another on a device, state in and out. */
import type { Graph, Value } from '../graph/graph.ts';
import type { ActivationRange } from '../inference/channel-ranges.ts';
import type { Batch, TrainingProgram } from './program.ts';
import type { Schedule } from './schedules.ts';

export interface TrainerOptions {
  /** Of each step, or of all. */
  readonly learningRate: Schedule | number;
  /** Of the gradients' mean. Default 0.9. */
  readonly beta1?: number;
  /** Of their squares' mean. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the squares' mean. Default 1e-8. */
  readonly epsilon?: number;
  /** Gradients with a larger global norm are scaled down to it; `null` for never. Default 1. */
  readonly clipNorm?: number | null;
  /** Of the dropout masks. Default 0. */
  readonly seed?: number;
  /** Threads of the CPU device, and of those that draw the masks. Default: one for each core. */
  readonly threads?: number;
  /**
   * A batch whose largest input has more elements, padding included, is cut into micro-batches of at most so many (or of
   * one row). Default 8,192 on the CPU, 16,384 on WebGPU.
   */
  readonly maxTokens?: number;
}

export interface StepResult {
  /** Steps made so far, this one included. */
  readonly step: number;
  /** Mean over the batches, before the update. */
  readonly loss: number;
  /** Global norm of the gradients before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
}

/** Everything a run needs to go on as if it had not stopped. Arrays are copies. */
export interface TrainerState {
  readonly step: number;
  readonly seed: number;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly firstMoments: ReadonlyMap<string, Float32Array>;
  readonly secondMoments: ReadonlyMap<string, Float32Array>;
  /** Of the activations that products in int8 read, by the weights they read them with; absent without such products. */
  readonly ranges?: ReadonlyMap<string, ActivationRange>;
}

/** A graph that reads the trained parameters where they are. */
export interface Predictor {
  run(batch: Batch): Promise<Record<string, { dims: readonly number[]; data: Float32Array }>>;
  dispose(): Promise<void>;
}

export interface Trainer {
  /**
   * One optimizer step: forward, backward, clipping, AdamW. Several batches are accumulated, weighted by their rows or by
   * the program's `countTerms`. One step at a time: await it before the next call.
   * @throws DivergedError when loss or gradients are no numbers, ConfigError for a batch that does not fit; the
   *   parameters are then those of the step before, and the trainer can go on
   */
  step(batches: Batch | readonly Batch[]): Promise<StepResult>;
  /** A copy of the parameters by name. */
  parameters(): Promise<Map<string, Float32Array>>;
  /** Another graph over the same parameters, matched by name: evaluation without dropout. */
  predictor(graph: Graph, outputs: ReadonlyMap<string, Value>): Promise<Predictor>;
  state(): Promise<TrainerState>;
  /** @throws ConfigError when names or sizes differ from the program's */
  restore(state: TrainerState): Promise<void>;
  dispose(): Promise<void>;
}

export type CreateTrainer = (program: TrainingProgram, options: TrainerOptions) => Promise<Trainer>;
