/** The trainer as its users see it: one step after another on a device, state in and out. */
import type { Graph, Value } from '../graph/graph.ts';
import type { Batch, TrainingProgram } from './program.ts';
import type { Schedule } from './schedules.ts';

export interface TrainerOptions {
  readonly learningRate: Schedule | number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Gradients with a larger global norm are scaled down to it; `null` for never. Default 1. */
  readonly clipNorm?: number | null;
  /** Of the dropout masks. */
  readonly seed?: number;
  /** Threads of the CPU device. Default: one for each core. */
  readonly threads?: number;
  /** A batch of more elements in its largest integer input is cut into micro-batches of at most so many. */
  readonly maxTokens?: number;
}

export interface StepResult {
  /** Steps made so far, this one included. */
  readonly step: number;
  /** Mean over the batch. */
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
}

/** A graph that reads the trained parameters where they are. */
export interface Predictor {
  run(batch: Batch): Promise<Record<string, { dims: readonly number[]; data: Float32Array }>>;
  dispose(): Promise<void>;
}

export interface Trainer {
  /** One optimizer step: forward, backward, clipping, AdamW. Several batches are accumulated, weighted by their rows. */
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
