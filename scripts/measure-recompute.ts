/**
 * What gradient checkpointing saves in memory and costs in time: `node --conditions=source scripts/measure-recompute.ts`.
 * Each case runs with it and without it in a process of its own, on random batches with dropout, and prints the peak of
 * its resident memory and the time of a step. A note is in docs/experiments.md.
 */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { promisify } from 'node:util';
import { buildModel, initialize, mulberry32, trainingProgram } from '@harmaug/models';
import { type Batch, crossEntropy } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';

const STEPS = 3; // the first one opens the memory that the others use again
const SEED = 1;

interface Case {
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: number;
  readonly length: number;
}

const shape = { hidden_size: 384, intermediate_size: 1536 };

/** The shapes of the training benchmark, see bench/train/cases.ts. */
const cases: Readonly<Record<string, Case>> = {
  'deberta-v3-xsmall 4x512': {
    config: {
      ...shape,
      model_type: 'deberta-v2',
      num_hidden_layers: 12,
      num_attention_heads: 6,
      vocab_size: 128_100,
      relative_attention: true,
      pos_att_type: ['p2c', 'c2p'],
      share_att_key: true,
      norm_rel_ebd: 'layer_norm',
      position_buckets: 256,
      position_biased_input: false,
      type_vocab_size: 0,
    },
    rows: 4,
    length: 512,
  },
  'minilm 8x512': {
    config: { ...shape, model_type: 'bert', num_hidden_layers: 6, num_attention_heads: 12, vocab_size: 30_522 },
    rows: 8,
    length: 512,
  },
};

interface Measured {
  readonly peakBytes: number;
  /** The fastest step after the first. */
  readonly stepMs: number;
  readonly losses: readonly number[];
}

const [name, mode] = process.argv.slice(2);
if (name === undefined) await compare();
else process.stdout.write(JSON.stringify(await measure(cases[name]!, mode === 'recompute')));

async function compare(): Promise<void> {
  const load = loadavg()[0]!.toFixed(1);
  process.stdout.write(`${cpus()[0]!.model}, ${availableParallelism()} cores, Node ${process.version}, load ${load}\n`);
  const rows = [];
  for (const [name, { config }] of Object.entries(cases)) {
    const plain = await measureApart(name, 'plain');
    const recompute = await measureApart(name, 'recompute');
    const differing = plain.losses.find((loss, step) => Math.abs(loss - recompute.losses[step]!) > 1e-4);
    if (differing !== undefined) throw new Error(`${name}: the losses differ, so this compares nothing.`);
    const mib = ({ peakBytes }: Measured) => Math.round(peakBytes / 2 ** 20);
    rows.push({
      case: name,
      layers: config.num_hidden_layers,
      'peak MiB': mib(plain),
      'peak MiB, recomputed': mib(recompute),
      'step ms': Math.round(plain.stepMs),
      'step ms, recomputed': Math.round(recompute.stepMs),
      memory: (recompute.peakBytes / plain.peakBytes).toFixed(2),
      time: (recompute.stepMs / plain.stepMs).toFixed(2),
    });
  }
  console.table(rows);
}

async function measureApart(name: string, mode: 'plain' | 'recompute'): Promise<Measured> {
  const args = [...process.execArgv, import.meta.filename, name, mode];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Measured;
}

async function measure({ config, rows, length }: Case, recompute: boolean): Promise<Measured> {
  const model = buildModel(config, { head: 'sequence-classification', training: true, recompute });
  const { scope, graph, inputs, output } = model;
  const weights = new Map([...scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.02, SEED)]));
  const loss = crossEntropy(output, graph.input('labels', 'int64', ['batch']));
  const trainer = await createTrainer(trainingProgram(model, { loss, weights }), { learningRate: 3e-5, seed: SEED });
  const uniform = mulberry32(SEED);
  const losses: number[] = [];
  let stepMs = Number.POSITIVE_INFINITY;
  for (let step = 0; step < STEPS; step++) {
    const ids = BigInt64Array.from({ length: rows * length }, () => {
      return BigInt(1 + Math.floor(uniform() * (model.config.vocabSize - 1)));
    });
    const tokens = (data: BigInt64Array) => ({ dtype: 'int64', dims: [rows, length], data }) as const;
    const batch: Batch = {
      input_ids: tokens(ids),
      attention_mask: tokens(new BigInt64Array(ids.length).fill(1n)),
      ...(inputs.tokenTypeIds ? { token_type_ids: tokens(new BigInt64Array(ids.length)) } : {}),
      labels: { dtype: 'int64', dims: [rows], data: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row % 2)) },
    };
    const start = performance.now();
    losses.push((await trainer.step(batch)).loss);
    if (step > 0) stepMs = Math.min(stepMs, performance.now() - start);
  }
  await trainer.dispose();
  return { peakBytes: process.resourceUsage().maxRSS * 1024, stepMs, losses };
}
