/**
 * Trains tiny models on WebGPU and on the CPU and compares them: `npm run check:webgpu`. It takes any adapter; where there
 * is none, the SwiftShader of a Chromium in the usual place. Exits 1 where something differs, 0 where nothing can be run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BaseConfig, buildModel, collate, initialize, mulberry32, trainingProgram } from '@harmaug/models';
import {
  type Batch,
  crossEntropy,
  DeviceError,
  emitModel,
  planGradients,
  schedules,
  type Trainer,
  type TrainingProgram,
} from 'onnx-grad';
import { createTrainer, type Device } from 'onnx-grad/node';
import * as ort from 'onnxruntime-node';
import { evaluateDim } from '../packages/onnx-grad/src/graph/dims.ts';
import { lower, webgpuLowering } from '../packages/onnx-grad/src/graph/lower.ts';
import { encodeModel } from '../packages/onnx-grad/src/onnx/encode.ts';

const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json'; // where Debian's chromium puts it
const STEPS = 20;
const SEED = 1;
const MOST_AXES = 8; // a one-dimensional integer tensor of no more is taken for a shape
const TOLERANCE = { loss: 1e-3, resumed: 1e-5, logits: 1e-3 }; // largest differences

const shape = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64, vocab_size: 100 };
const configs: Readonly<Record<string, Record<string, unknown>>> = {
  bert: { ...shape, model_type: 'bert', max_position_embeddings: 32 },
  'deberta-v2': {
    ...shape,
    model_type: 'deberta-v2',
    max_position_embeddings: 32,
    relative_attention: true,
    pos_att_type: ['p2c', 'c2p'],
    share_att_key: true,
    norm_rel_ebd: 'layer_norm',
    position_buckets: 8,
    position_biased_input: false,
    type_vocab_size: 0,
  },
};

interface Row {
  /** Largest differences: of a step's loss between the devices; of resumed steps from unbroken ones; of logits. */
  readonly loss: number;
  readonly resumed: number;
  readonly logits: number;
  /** Nodes that onnxruntime runs on the CPU in a training step, sizes of shapes apart, and by which operators. */
  readonly onCpu: readonly string[];
  /** Nodes that work out sizes, on the CPU everywhere. */
  readonly sizes: number;
  readonly nodes: number;
}

if (!(await hasAdapter())) runOnSwiftShader();
const rows = new Map<string, Row>();
for (const [family, config] of Object.entries(configs)) rows.set(family, await check(config));
report(rows);

async function check(config: Record<string, unknown>): Promise<Row> {
  const cpu = await train('cpu', config);
  const gpu = await train('webgpu', config);
  return {
    loss: largestDifference(cpu.losses, gpu.losses),
    resumed: largestDifference(gpu.losses.slice(STEPS / 2), gpu.resumed),
    logits: largestDifference(cpu.logits, gpu.logits),
    ...(await countNodes(config)),
  };
}

/** Every step's loss; those after the middle again in a trainer restored there; and logits at the end. */
async function train(device: Device, config: Record<string, unknown>) {
  const { program, limits } = build(config);
  const steps = makeSteps(limits);
  const trainer = await open(program, device);
  const losses = await lossesOf(trainer, steps.slice(0, STEPS / 2));
  const state = await trainer.state();
  losses.push(...(await lossesOf(trainer, steps.slice(STEPS / 2))));
  const plain = buildModel(config, { head: 'sequence-classification' });
  const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
  const { labels: _, ...batch } = steps[0]![0]!;
  const logits = Array.from((await predictor.run(batch)).logits!.data);
  await predictor.dispose();
  await trainer.dispose();

  const second = await open(program, device);
  await second.restore(state);
  const resumed = await lossesOf(second, steps.slice(STEPS / 2));
  await second.dispose();
  return { losses, resumed, logits };
}

function build(config: Record<string, unknown>): { program: TrainingProgram; limits: BaseConfig } {
  const model = buildModel(config, { head: 'sequence-classification', training: true }); // dropout 0.1, the default
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.1, SEED)]));
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  return { program: trainingProgram(model, { loss, weights, weightDecay: 0.1 }), limits: model.config };
}

function open(program: TrainingProgram, device: Device): Promise<Trainer> {
  const learningRate = schedules.linear({ peak: 1e-3, warmupSteps: 4, totalSteps: 2 * STEPS });
  return createTrainer(program, { device, learningRate, seed: SEED });
}

/** Texts of 3 to 16 random tokens, six to a batch; every third step has a second batch, of two. */
function makeSteps(limits: BaseConfig): Batch[][] {
  const uniform = mulberry32(SEED);
  const below = (limit: number) => Math.floor(uniform() * limit);
  const makeBatch = (size: number): Batch => {
    const texts = Array.from({ length: size }, () => {
      const ids = Array.from({ length: 3 + below(14) }, () => 1 + below(shape.vocab_size - 1));
      return { ids, typeIds: ids.map(() => 0) };
    });
    return collate(texts, limits, { labels: texts.map(({ ids }) => ids[0]! % 2) });
  };
  return Array.from({ length: STEPS }, (_, step) => (step % 3 === 2 ? [makeBatch(6), makeBatch(2)] : [makeBatch(6)]));
}

async function lossesOf(trainer: Trainer, steps: readonly Batch[][]): Promise<number[]> {
  const losses: number[] = [];
  for (const batches of steps) losses.push((await trainer.step(batches)).loss);
  return losses;
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, index) => Math.abs(value - b[index]!))); // NaN where any is, or one is missing
}

/** Where the nodes of one training step ran, by onnxruntime's profile. */
async function countNodes(config: Record<string, unknown>): Promise<Pick<Row, 'nodes' | 'onCpu' | 'sizes'>> {
  const { program, limits } = build(config);
  const plan = planGradients(program, { byRows: false });
  const outputs = new Map([['loss', program.loss]]);
  for (const { parameter, gradient } of plan) outputs.set(`gradient:${parameter.name}`, gradient);
  const lowered = lower(program.graph, outputs, webgpuLowering);
  const folder = mkdtempSync(path.join(tmpdir(), 'check-webgpu-'));
  try {
    const session = await ort.InferenceSession.create(encodeModel(emitModel(lowered.graph, lowered.outputs)), {
      executionProviders: ['webgpu', 'cpu'],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      enableProfiling: true,
      profileFilePrefix: path.join(folder, 'profile'),
    });
    await session.run(feedsOf(program, makeSteps(limits)[0]![0]!, session.inputNames));
    session.endProfiling();
    await session.release();
    return sortEvents(JSON.parse(readFileSync(path.join(folder, readdirSync(folder)[0]!), 'utf8')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of a node in onnxruntime's profile; `output_type_shape` has one record of type and shape for each output. */
interface ProfileEvent {
  readonly cat: string;
  readonly args?: {
    readonly provider?: string;
    readonly op_name: string;
    readonly output_type_shape: readonly Record<string, readonly number[]>[];
  };
}

function sortEvents(events: readonly ProfileEvent[]): Pick<Row, 'nodes' | 'onCpu' | 'sizes'> {
  const nodes = events.flatMap(({ cat, args }) => (cat === 'Node' && args?.provider ? [args] : []));
  const onCpu = nodes.filter(({ provider }) => provider === 'CPUExecutionProvider');
  const isSize = ({ output_type_shape: outputs }: (typeof nodes)[number]) =>
    outputs.every((output) => Object.entries(output).every(([type, dims]) => type === 'int64' && isShape(dims)));
  const others = onCpu.filter((node) => !isSize(node));
  return {
    nodes: nodes.length,
    onCpu: others.map(({ op_name }) => op_name).sort(),
    sizes: onCpu.length - others.length,
  };
}

/** Whether this is the shape of a number, or of a list of an array's sizes. */
function isShape(dims: readonly number[]): boolean {
  return dims.length === 0 || (dims.length === 1 && dims[0]! <= MOST_AXES);
}

function feedsOf(program: TrainingProgram, batch: Batch, names: readonly string[]): Record<string, ort.Tensor> {
  const parameters = new Map(program.parameters.map(({ name, initial }) => [name, initial]));
  const [rows, length] = batch.input_ids!.dims as [number, number];
  const sizes = { batch: rows, length };
  const feeds = program.graph.inputs.map(({ name, dims: named }) => {
    const dims = named.map((dim) => evaluateDim(dim, sizes));
    const count = dims.reduce((product, dim) => product * dim, 1);
    const tensor = batch[name];
    if (tensor) return [name, new ort.Tensor('int64', tensor.data as BigInt64Array, tensor.dims)] as const;
    return [name, new ort.Tensor('float32', parameters.get(name) ?? new Float32Array(count).fill(1), dims)] as const;
  });
  return Object.fromEntries(feeds.filter(([name]) => names.includes(name)));
}

function report(found: ReadonlyMap<string, Row>): void {
  process.stdout.write(`Adapter: ${process.env.VK_ICD_FILENAMES ?? "the system's default"}\n`);
  const table = [...found].map(([family, { loss, resumed, logits, nodes, onCpu, sizes }]) => {
    const precise = (value: number) => value.toExponential(1);
    const [losses, again, outputs] = [loss, resumed, logits].map(precise);
    return { family, loss: losses, resumed: again, logits: outputs, nodes, sizes, 'on the CPU': onCpu.length };
  });
  console.table(table);
  for (const [family, { onCpu }] of found) process.stdout.write(`${family}, on the CPU: ${onCpu.join(' ')}\n`);
  const wrong = [...found].flatMap(([family, row]) =>
    Object.entries(TOLERANCE).flatMap(([name, most]) => {
      const value = row[name as keyof typeof TOLERANCE];
      return value <= most ? [] : [`${family}: ${name} differs by ${value}, at most ${most} is allowed.\n`]; // NaN too
    }),
  );
  process.stderr.write(wrong.join(''));
  if (wrong.length > 0) process.exitCode = 1;
}

async function hasAdapter(): Promise<boolean> {
  const { program } = build(configs.bert!);
  try {
    const trainer = await open(program, 'webgpu');
    await trainer.dispose();
    return true;
  } catch (error) {
    if (error instanceof DeviceError && /No WebGPU adapter/.test(error.message)) return false;
    throw error;
  }
}

/** Runs this file again on SwiftShader, with the Vulkan loader beside it: both are looked for as a process starts. */
function runOnSwiftShader(): never {
  if (process.env.VK_ICD_FILENAMES !== undefined || !existsSync(SWIFTSHADER)) {
    process.stdout.write(
      'left out: no WebGPU adapter. Without a GPU, SwiftShader is one: apt-get install chromium, ' +
        `VK_ICD_FILENAMES=${SWIFTSHADER} LD_LIBRARY_PATH=${path.dirname(SWIFTSHADER)} npm run check:webgpu\n`,
    );
    process.exit(0);
  }
  const libraries = [path.dirname(SWIFTSHADER), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  const env = { ...process.env, VK_ICD_FILENAMES: SWIFTSHADER, LD_LIBRARY_PATH: libraries };
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
