/**
 * Training on onnxruntime's CPU provider. One session computes loss and gradients; parameters, gradients and moments lie
 * in shared WebAssembly memory, which onnxruntime reads and writes in place and the kernels update on all cores.
 */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import type { Lookup } from '../graph/embedding.ts';
import { emitModel } from '../graph/emit.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { type LoweredInt8, lowerInt8, type WeightCopy } from '../graph/lower-int8.ts';
import type { Buffer32 } from '../kernels/arena.ts';
import { type AdamwPart, KernelPool, type Operand } from '../kernels/pool.node.ts';
import { RowSet } from '../kernels/rows.ts';
import { createSession } from '../session/session.node.ts';
import { DropoutMasks, type MaskDraw } from './dropout-masks.node.ts';
import { toFeeds } from './feeds.node.ts';
import { Int8Inputs, rangeOutputs } from './int8-inputs.node.ts';
import { microBatches, type WeightedBatch } from './micro-batches.ts';
import { resolveOptions, type Settings } from './options.ts';
import {
  type Batch,
  measure,
  type PlannedGradient,
  planGradients,
  sizeOf,
  sortInputs,
  type TrainingProgram,
} from './program.ts';
import { CLIP_EPSILON, checkState, diverged } from './state.ts';
import type { Predictor, StepResult, Trainer, TrainerOptions, TrainerState } from './trainer.ts';
import { copyLengths, type PlacedCopy, placeCopies } from './weight-copies.node.ts';

/** A parameter with everything its update reads. */
interface Slot {
  readonly plan: PlannedGradient;
  readonly parameter: Buffer32;
  readonly gradient: Buffer32;
  readonly firstMoment: Buffer32;
  readonly secondMoment: Buffer32;
  /**
   * Where onnxruntime writes what is then added to `gradient`: the gradient of one of several micro-batches, or that of
   * the rows a look-up read. Memory that is never touched takes no room.
   */
  readonly partial: Buffer32;
  /** Which rows of a table have gradients; `null` for parameters that are read whole. */
  readonly rows: RowSet | null;
}

const LOOKUP_ROWS = 4096; // token gradients that reach their table in one piece
const DEFAULT_MAX_TOKENS = 8192;

export async function createCpuTrainer(program: TrainingProgram, options: TrainerOptions): Promise<Trainer> {
  const settings = resolveOptions(options, { maxTokens: DEFAULT_MAX_TOKENS });
  const threads = settings.threads ?? availableParallelism();
  const { recompute = false } = program;
  const plan = planGradients(program, { byRows: true });
  const outputs = new Map([['loss', program.loss]]);
  for (const { parameter, gradient } of plan) outputs.set(gradientName(parameter.name), gradient);
  const lowered = lowerInt8(program.graph, outputs);
  const given = new Map([...lowered.outputs, ...rangeOutputs(lowered.activations)]);
  const model = emitModel(lowered.graph, given, { name: 'training', finishesEarly: recompute });
  const session = await createSession(model, {
    threads,
    keepDuplicates: recompute,
    sleepsBetweenRuns: true, // the kernels' turn
  });
  const pool = await KernelPool.create({ threads });
  try {
    return new CpuTrainer(program, { ...settings, threads }, plan, lowered, session, pool);
  } catch (error) {
    await pool.dispose();
    throw error;
  }
}

class CpuTrainer implements Trainer {
  readonly #settings: Settings & { readonly threads: number };
  readonly #session: ort.InferenceSession;
  readonly #pool: KernelPool;
  readonly #slots: readonly Slot[];
  readonly #inputs: readonly Value[];
  readonly #masks: DropoutMasks;
  readonly #countTerms: TrainingProgram['countTerms'];
  /** Parameters, and their copies as bytes. */
  readonly #parameterFeeds: Readonly<Record<string, ort.Tensor>>;
  readonly #int8: Int8Inputs;
  /** What each run gives beside the gradients. */
  readonly #figures: readonly string[];
  #step = 0;
  #seed: number;

  constructor(
    program: TrainingProgram,
    settings: Settings & { readonly threads: number },
    plan: readonly PlannedGradient[],
    lowered: LoweredInt8,
    session: ort.InferenceSession,
    pool: KernelPool,
  ) {
    this.#settings = settings;
    this.#session = session;
    this.#pool = pool;
    this.#seed = settings.seed;
    this.#countTerms = program.countTerms;
    const { slots, placed } = allocateSlots(pool, plan, lowered.copies);
    this.#slots = slots;
    this.#int8 = new Int8Inputs(program, lowered, pool, placed, settings.threads);
    this.#figures = ['loss', ...rangeOutputs(lowered.activations).keys()];
    const { batch, dropout } = sortInputs(program, session.inputNames);
    this.#inputs = batch;
    this.#masks = new DropoutMasks(pool, dropout);
    this.#parameterFeeds = {
      ...Object.fromEntries(
        this.#slots.map(({ plan: { parameter }, parameter: { data } }) => [
          parameter.name,
          new ort.Tensor('float32', data, parameter.value.dims as number[]),
        ]),
      ),
      ...this.#int8.weights,
    };
  }

  async step(batches: Batch | readonly Batch[]): Promise<StepResult> {
    const list = Array.isArray(batches) ? (batches as readonly Batch[]) : [batches as Batch];
    const { maxTokens } = this.#settings;
    const parts = microBatches(list, { maxTokens, countTerms: this.#countTerms });
    try {
      return this.#update(await this.#accumulate(parts));
    } finally {
      this.#clearRows(); // whether the step was made or not
      this.#int8.forget();
    }
  }

  /** Fills the gradients of all parts, weighted. @returns the mean loss */
  async #accumulate(parts: readonly WeightedBatch[]): Promise<number> {
    const isWhole = parts.length === 1;
    const dense = this.#slots.filter(({ rows }) => !rows);
    if (!isWhole) this.#pool.fillZero(dense.map(({ gradient }) => gradient));
    let loss = 0;
    for (const [index, { batch, weight }] of parts.entries()) {
      const draw = { seed: this.#seed, step: this.#step, part: index };
      loss += weight * (await this.#differentiate(batch, draw, weight, isWhole ? 'gradient' : 'partial'));
      if (isWhole) continue;
      this.#pool.scaleAdd(
        dense.map(({ gradient, partial }) => ({ target: gradient, source: partial })),
        weight,
      );
    }
    return loss;
  }

  /** The loss of one micro-batch; its gradients go to the buffers named, those of look-ups are added up at once. */
  async #differentiate(batch: Batch, draw: MaskDraw, weight: number, into: 'gradient' | 'partial'): Promise<number> {
    const sizes = measure(this.#inputs, batch);
    const given = { ...this.#parameterFeeds, ...this.#masks.draw(sizes, draw), ...toFeeds(batch, this.#inputs) };
    await this.#int8.prepare(given);
    const feeds = { ...given, ...this.#int8.scales() };
    const fetches: Record<string, ort.Tensor | null> = Object.fromEntries(this.#figures.map((name) => [name, null]));
    for (const { plan, rows, ...buffers } of this.#slots) {
      const dims = plan.gradient.dims.map((dim) => sizeOf(dim, sizes));
      const length = dims.reduce((a, b) => a * b, 1);
      const target = rows ? buffers.partial : buffers[into];
      const fits = length <= target.length;
      fetches[gradientName(plan.parameter.name)] = fits
        ? new ort.Tensor('float32', target.data.subarray(0, length), dims)
        : null;
    }
    const results = await this.#session.run(feeds, fetches as Record<string, ort.Tensor>);
    for (const slot of this.#slots) {
      if (!slot.rows) continue;
      const gradient = results[gradientName(slot.plan.parameter.name)]!.data as Float32Array;
      this.#addRows(slot, slot.rows, batch, gradient, weight);
    }
    this.#int8.see(results);
    return Number(results.loss!.data[0]);
  }

  /** Adds the gradients of looked-up rows, (tokens, E), to their table's. */
  #addRows({ plan, gradient, partial }: Slot, rows: RowSet, batch: Batch, found: Float32Array, weight: number): void {
    const read = rowsRead(plan.lookup!, batch, rows.rowCount);
    if (weight !== 1) for (let at = 0; at < found.length; at++) found[at]! *= weight;
    for (let start = 0; start < read.length; start += LOOKUP_ROWS) {
      const piece = read.subarray(start, start + LOOKUP_ROWS);
      if (found.buffer !== partial.data.buffer) {
        const offset = start * rows.rowLength;
        partial.data.set(found.subarray(offset, offset + piece.length * rows.rowLength));
      }
      this.#pool.scatterAddRows(gradient, rows, partial, piece);
    }
  }

  /** Clipping and AdamW over everything at once. */
  #update(loss: number): StepResult {
    const { clipNorm, rateOf, beta1, beta2, epsilon } = this.#settings;
    const operands = this.#slots.map(({ gradient, rows }): Operand => (rows ? { buffer: gradient, rows } : gradient));
    const gradNorm = Math.sqrt(this.#pool.sumSquares(operands));
    if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) throw diverged(this.#step, loss, gradNorm);
    const gradientScale = clipNorm === null ? 1 : Math.min(1, clipNorm / (gradNorm + CLIP_EPSILON));
    const learningRate = rateOf(this.#step);
    const parts = this.#slots.map(({ plan, partial, rows, ...buffers }): AdamwPart => {
      const { weightDecay } = plan.parameter;
      return { ...buffers, learningRate, weightDecay, ...(rows ? { rows } : {}) };
    });
    this.#pool.adamw(parts, { step: this.#step + 1, gradientScale, beta1, beta2, eps: epsilon });
    this.#int8.settle();
    this.#step += 1;
    return { step: this.#step, loss, gradNorm, learningRate };
  }

  /** The gradients of look-ups are added to, so they start each step at zero. */
  #clearRows(): void {
    const tables = this.#slots.flatMap(({ gradient, rows }) => (rows ? [{ buffer: gradient, rows }] : []));
    this.#pool.fillZero(tables);
    for (const { rows } of tables) rows.settle();
  }

  async parameters(): Promise<Map<string, Float32Array>> {
    return this.#copies(({ parameter }) => parameter);
  }

  async predictor(graph: Graph, outputs: ReadonlyMap<string, Value>): Promise<Predictor> {
    const lowered = lowerInt8(graph, outputs);
    const session = await createSession(emitModel(lowered.graph, lowered.outputs), {
      threads: this.#settings.threads,
      sleepsBetweenRuns: true,
    });
    const isRead = (name: string) => session.inputNames.includes(name);
    const inputs = graph.inputs.filter(({ name }) => isRead(name) && !this.#parameterFeeds[name]);
    const known = Object.fromEntries(Object.entries(this.#parameterFeeds).filter(([name]) => isRead(name)));
    return {
      run: async (batch) => {
        measure(inputs, batch);
        const scales = this.#int8.scales(lowered.activations);
        const results = await session.run({ ...known, ...scales, ...toFeeds(batch, inputs) });
        return Object.fromEntries(
          [...outputs.keys()].map((name) => {
            const { dims, data } = results[name]!;
            return [name, { dims, data: data as Float32Array }];
          }),
        );
      },
      dispose: () => session.release(),
    };
  }

  async state(): Promise<TrainerState> {
    return {
      step: this.#step,
      seed: this.#seed,
      parameters: this.#copies(({ parameter }) => parameter),
      firstMoments: this.#copies(({ firstMoment }) => firstMoment),
      secondMoments: this.#copies(({ secondMoment }) => secondMoment),
      ...this.#int8.state(),
    };
  }

  async restore(state: TrainerState): Promise<void> {
    checkState(
      state,
      this.#slots.map(({ plan, parameter }) => [plan.parameter.name, parameter.length]),
    );
    for (const { plan, parameter, firstMoment, secondMoment, rows } of this.#slots) {
      const { name } = plan.parameter;
      parameter.data.set(state.parameters.get(name)!);
      firstMoment.data.set(state.firstMoments.get(name)!);
      secondMoment.data.set(state.secondMoments.get(name)!);
      rows?.markAllSeen();
    }
    this.#int8.restore(state);
    this.#step = state.step;
    this.#seed = state.seed;
  }

  async dispose(): Promise<void> {
    await this.#session.release();
    await this.#pool.dispose();
  }

  #copies(pick: (slot: Slot) => Buffer32): Map<string, Float32Array> {
    return new Map(this.#slots.map((slot) => [slot.plan.parameter.name, Float32Array.from(pick(slot).data)]));
  }
}

const NO_ROW = -1n; // an id that adds to no row of its table

/** The rows a look-up read: padding is none, and ids below zero count from the table's end, as Gather has it. */
function rowsRead({ ids, paddingId }: Lookup, batch: Batch, rowCount: number): BigInt64Array {
  const padding = paddingId === null ? null : BigInt(paddingId);
  const row = (id: bigint) => (id === padding ? NO_ROW : id < 0n ? id + BigInt(rowCount) : id);
  return BigInt64Array.from(batch[ids.name]!.data as ArrayLike<number | bigint>, (id) => row(BigInt(id)));
}

function gradientName(parameter: string): string {
  return `gradient:${parameter}`;
}

function allocateSlots(pool: KernelPool, plan: readonly PlannedGradient[], copies: readonly WeightCopy[]) {
  const copiesOf = ({ parameter }: PlannedGradient) => copies.filter(({ weight }) => weight === parameter.name);
  const placed: PlacedCopy[] = [];
  const groups = plan.map((planned) => {
    const { parameter, lookup } = planned;
    const length = parameter.initial.length;
    const rowLength = Number(parameter.value.dims.at(-1));
    const partial = lookup ? LOOKUP_ROWS * rowLength : length;
    return { lengths: [length, length, length, length, partial, ...copyLengths(copiesOf(planned))] };
  });
  const slots = pool.allocate(groups).map((buffers, index): Slot => {
    const [parameter, gradient, firstMoment, secondMoment, partial, ...copyBuffers] = buffers as [
      Buffer32,
      Buffer32,
      Buffer32,
      Buffer32,
      Buffer32,
      ...Buffer32[],
    ];
    placed.push(...placeCopies(copiesOf(plan[index]!), parameter, copyBuffers));
    const { parameter: trained, lookup } = plan[index]!;
    parameter.data.set(trained.initial);
    const [rowCount, rowLength] = trained.value.dims as [number, number];
    const rows = lookup ? new RowSet(rowCount, rowLength) : null;
    return { plan: plan[index]!, parameter, gradient, firstMoment, secondMoment, partial, rows };
  });
  return { slots, placed };
}
