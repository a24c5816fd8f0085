/**
 * Training on onnxruntime's WebGPU provider (Vulkan, Metal, Direct3D 12): the CPU's graph, lowered, and the optimizer as a
 * second graph. Parameters, gradients and moments stay on the device; batches, masks and scalars go up, the loss comes
 * down. Two things abort the process in onnxruntime-node 1.30 and are not done: reading a tensor on the device with
 * Tensor.getData (a session that returns it on the CPU reads it), and releasing a session before the tensors it made.
 */
import * as ort from 'onnxruntime-node';
import { ConfigError } from '../errors.ts';
import { emitModel } from '../graph/emit.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { lower, webgpuLowering } from '../graph/lower.ts';
import { add, identity, mul } from '../graph/ops.ts';
import { createGraph } from '../graph/table.ts';
import { KernelPool } from '../kernels/pool.node.ts';
import { createSession, type SessionOptions } from '../session/session.node.ts';
import { DropoutMasks } from './dropout-masks.node.ts';
import { toFeeds } from './feeds.node.ts';
import { microBatches } from './micro-batches.ts';
import { type OptimizedParameter, optimizerGraph, slots } from './optimizer-graph.ts';
import { resolveOptions, type Settings } from './options.ts';
import { type Batch, measure, planGradients, sortInputs, type TrainingProgram } from './program.ts';
import { checkState, diverged } from './state.ts';
import type { Predictor, StepResult, Trainer, TrainerOptions, TrainerState } from './trainer.ts';

type Tensors = Record<string, ort.Tensor>;

const DEFAULT_MAX_TOKENS = 16_384;
const ON_DEVICE = { device: 'webgpu', outputsOnDevice: true } as const;

export async function createWebgpuTrainer(program: TrainingProgram, options: TrainerOptions): Promise<Trainer> {
  expectFloat(program);
  const settings = resolveOptions(options, { maxTokens: DEFAULT_MAX_TOKENS });
  const { recompute = false } = program;
  const plan = planGradients(program, { byRows: false });
  const wanted = new Map([['loss', program.loss]]);
  for (const { parameter, gradient } of plan) wanted.set(slots.gradient(parameter.name), gradient);
  const lowered = lower(program.graph, wanted, webgpuLowering);
  const parameters = plan.map(({ parameter: { name, value, weightDecay } }): OptimizedParameter => {
    return { name, weightDecay, dims: value.dims as number[] };
  });
  const optimizer = optimizerGraph(parameters, settings);
  const model = emitModel(lowered.graph, lowered.outputs, { name: 'training', finishesEarly: recompute });
  const differentiate = await createSession(model, {
    ...ON_DEVICE,
    keepDuplicates: recompute,
    outputsOnCpu: ['loss'],
  });
  const update = await createSession(emitModel(optimizer.graph, optimizer.outputs, { name: 'optimizer' }), {
    ...ON_DEVICE,
    outputsOnCpu: ['gradNorm'],
  });
  const pool = await KernelPool.create(settings.threads === undefined ? {} : { threads: settings.threads });
  const trainer = new WebgpuTrainer(program, settings, parameters, differentiate, update, pool);
  try {
    await trainer.load(new Map(program.parameters.map(({ name, initial }) => [name, initial])), null);
    return trainer;
  } catch (error) {
    await trainer.dispose();
    throw error;
  }
}

/** @throws ConfigError for products of bytes, which the provider lacks */
function expectFloat({ graph }: TrainingProgram): void {
  if (!graph.nodes.some(({ op }) => op === 'Int8Gemm')) return;
  throw new ConfigError("Products in int8 are for the CPU. Train in float32 on 'webgpu', or in int8 on 'cpu'.");
}

class WebgpuTrainer implements Trainer {
  readonly #program: TrainingProgram;
  readonly #settings: Settings;
  readonly #parameters: readonly OptimizedParameter[];
  readonly #differentiate: ort.InferenceSession;
  readonly #update: ort.InferenceSession;
  readonly #pool: KernelPool;
  readonly #inputs: readonly Value[];
  readonly #masks: DropoutMasks;
  /** Sessions made when first needed; they live as long as the tensors they made. */
  readonly #sessions = new Map<string, ort.InferenceSession>();
  /** Parameters and moments on the device, by input name of the optimizer. */
  #resident: Tensors = {};
  #step = 0;
  #seed: number;

  constructor(
    program: TrainingProgram,
    settings: Settings,
    parameters: readonly OptimizedParameter[],
    differentiate: ort.InferenceSession,
    update: ort.InferenceSession,
    pool: KernelPool,
  ) {
    this.#program = program;
    this.#settings = settings;
    this.#parameters = parameters;
    this.#differentiate = differentiate;
    this.#update = update;
    this.#pool = pool;
    this.#seed = settings.seed;
    const { batch, dropout } = sortInputs(program, differentiate.inputNames);
    this.#inputs = batch;
    this.#masks = new DropoutMasks(pool, dropout);
  }

  async step(batches: Batch | readonly Batch[]): Promise<StepResult> {
    const list = Array.isArray(batches) ? (batches as readonly Batch[]) : [batches as Batch];
    const { maxTokens } = this.#settings;
    const parts = microBatches(list, { maxTokens, countTerms: this.#program.countTerms });
    let loss = 0;
    let gradients: Tensors = {};
    try {
      for (const [part, { batch, weight }] of parts.entries()) {
        const sizes = measure(this.#inputs, batch);
        const masks = this.#masks.draw(sizes, { seed: this.#seed, step: this.#step, part });
        const { loss: partLoss, ...found } = await this.#differentiate.run({
          ...this.#parameterTensors(),
          ...masks,
          ...toFeeds(batch, this.#inputs),
        });
        loss += weight * Number(partLoss!.data[0]);
        if (parts.length > 1) gradients = await this.#accumulate(gradients, found as Tensors, weight);
        else gradients = found as Tensors;
      }
      return await this.#apply(loss, gradients);
    } finally {
      disposeAll(gradients);
    }
  }

  /** The optimizer's step. The new parameters take the place of the old ones only where they are sound. */
  async #apply(loss: number, gradients: Tensors): Promise<StepResult> {
    const { rateOf, beta1, beta2 } = this.#settings;
    const learningRate = rateOf(this.#step);
    const count = this.#step + 1;
    const { gradNorm, ...next } = await this.#update.run({
      ...this.#resident,
      ...gradients,
      learningRate: scalar(learningRate),
      stepSize: scalar(learningRate / (1 - beta1 ** count)),
      correction: scalar(Math.sqrt(1 - beta2 ** count)),
    });
    const norm = Number(gradNorm!.data[0]);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      disposeAll(next as Tensors);
      throw diverged(this.#step, loss, norm);
    }
    disposeAll(this.#resident);
    this.#resident = withoutPrefix(next);
    this.#step = count;
    return { step: count, loss, gradNorm: norm, learningRate };
  }

  /** `sum + weight · found`, on the device; without a sum, `weight · found`. What went in is disposed of. */
  async #accumulate(sum: Tensors, found: Tensors, weight: number): Promise<Tensors> {
    const isFirst = Object.keys(sum).length === 0;
    try {
      const session = await this.#session(isFirst ? 'scale' : 'add', ON_DEVICE, (graph) => {
        const factor = graph.input('weight', 'float32', []);
        return this.#parameters.map(({ name, dims }): [string, Value] => {
          const scaled = mul(graph.input(slots.gradient(name), 'float32', dims), factor);
          return [slots.gradient(name), isFirst ? scaled : add(graph.input(`sum:${name}`, 'float32', dims), scaled)];
        });
      });
      const before = Object.entries(sum).map(([name, tensor]) => [name.replace('gradient:', 'sum:'), tensor]);
      const results = await session.run({ ...found, ...Object.fromEntries(before), weight: scalar(weight) });
      disposeAll(sum);
      return withoutPrefix(results);
    } finally {
      disposeAll(found);
    }
  }

  /** Puts parameters, and moments or zeros, on the device. */
  async load(
    parameters: ReadonlyMap<string, Float32Array>,
    moments: Pick<TrainerState, 'firstMoments' | 'secondMoments'> | null,
  ): Promise<void> {
    const feeds: Tensors = {};
    for (const { name, dims } of this.#parameters) {
      const data = parameters.get(name)!;
      const zeros = new Float32Array(data.length);
      feeds[slots.parameter(name)] = new ort.Tensor('float32', data, dims);
      feeds[slots.firstMoment(name)] = new ort.Tensor('float32', moments?.firstMoments.get(name) ?? zeros, dims);
      feeds[slots.secondMoment(name)] = new ort.Tensor('float32', moments?.secondMoments.get(name) ?? zeros, dims);
    }
    const upload = await this.#session('upload', ON_DEVICE, (graph) => this.#copyAll(graph));
    const loaded = withoutPrefix(await upload.run(feeds));
    disposeAll(this.#resident);
    this.#resident = loaded;
  }

  async parameters(): Promise<Map<string, Float32Array>> {
    return this.#read(slots.parameter);
  }

  async state(): Promise<TrainerState> {
    return {
      step: this.#step,
      seed: this.#seed,
      parameters: await this.#read(slots.parameter),
      firstMoments: await this.#read(slots.firstMoment),
      secondMoments: await this.#read(slots.secondMoment),
    };
  }

  async restore(state: TrainerState): Promise<void> {
    checkState(
      state,
      this.#program.parameters.map(({ name, initial }) => [name, initial.length]),
    );
    await this.load(state.parameters, state);
    this.#step = state.step;
    this.#seed = state.seed;
  }

  async predictor(graph: Graph, outputs: ReadonlyMap<string, Value>): Promise<Predictor> {
    const lowered = lower(graph, outputs, webgpuLowering);
    const session = await createSession(emitModel(lowered.graph, lowered.outputs), { device: 'webgpu' });
    const names = new Set(this.#parameters.map(({ name }) => name));
    const inputs = graph.inputs.filter(({ name }) => session.inputNames.includes(name) && !names.has(name));
    return {
      run: async (batch) => {
        measure(inputs, batch);
        const parameters = Object.entries(this.#parameterTensors()).filter(([name]) =>
          session.inputNames.includes(name),
        );
        const results = await session.run({ ...Object.fromEntries(parameters), ...toFeeds(batch, inputs) });
        const read = (name: string) => ({ dims: results[name]!.dims, data: results[name]!.data as Float32Array });
        return Object.fromEntries([...outputs.keys()].map((name) => [name, read(name)]));
      },
      dispose: () => session.release(),
    };
  }

  async dispose(): Promise<void> {
    disposeAll(this.#resident);
    for (const session of [...this.#sessions.values(), this.#differentiate, this.#update]) await session.release();
    await this.#pool.dispose();
  }

  #parameterTensors(): Tensors {
    return Object.fromEntries(this.#parameters.map(({ name }) => [name, this.#resident[slots.parameter(name)]!]));
  }

  async #read(slot: (name: string) => string): Promise<Map<string, Float32Array>> {
    const download = await this.#session('download', { device: 'webgpu' }, (graph) => this.#copyAll(graph));
    const found = withoutPrefix(await download.run(this.#resident));
    return new Map(
      this.#parameters.map(({ name }) => [name, Float32Array.from(found[slot(name)]!.data as Float32Array)]),
    );
  }

  /** Every resident array, as it is. */
  #copyAll(graph: Graph): [string, Value][] {
    return this.#parameters.flatMap(({ name, dims }) =>
      [slots.parameter, slots.firstMoment, slots.secondMoment].map((slot): [string, Value] => [
        slot(name),
        identity(graph.input(slot(name), 'float32', dims)),
      ]),
    );
  }

  async #session(
    key: string,
    options: SessionOptions,
    build: (graph: Graph) => [string, Value][],
  ): Promise<ort.InferenceSession> {
    const existing = this.#sessions.get(key);
    if (existing) return existing;
    const graph = createGraph();
    const outputs = new Map(build(graph).map(([name, value]) => [`next:${name}`, value]));
    const session = await createSession(emitModel(graph, outputs), options);
    this.#sessions.set(key, session);
    return session;
  }
}

/** Outputs under the names of the inputs that they follow. */
function withoutPrefix(tensors: Readonly<Record<string, unknown>>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name.slice('next:'.length), tensor as ort.Tensor]),
  );
}

function scalar(value: number): ort.Tensor {
  return new ort.Tensor('float32', Float32Array.of(value), []);
}

function disposeAll(tensors: Tensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
