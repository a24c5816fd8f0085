/**
 * `npm run bench -- train`: our training against transformers on PyTorch, in turns within the same minutes.
 *
 * - `fixed` rows: median milliseconds of a whole step (forward, backward, clipping, AdamW) on random ids of full length.
 * - `real` rows: samples per second over an epoch of prompts, from batches that stand for it (`spread`). The peer pads to
 *   the longest of each random batch (`usual`) or groups by length (`grouped`); ours makes its batches as it always does.
 * - `scaling` rows: how our time grows with length and batch.
 * - ` int8` rows: ours with its layers' products in int8, beside ours in float32 and the peer.
 * - ` bf16` rows: the peer under bfloat16 autocast, ours as in the row before.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ours } from './ours/train.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { PAUSE_MS, Progress, WARM_UP } from './rounds.ts';
import { type Measurement, measurements, roughWork } from './train/cases.ts';
import { gemmShape, measureGemm } from './train/gemm.ts';
import {
  BATCHES_PER_TURN,
  measureFixed,
  measureReal,
  type TrainOptions,
  type TrainSetup,
  type Variant,
} from './train/measure.ts';
import { startTrainPeer } from './train/peer.ts';

export async function runTrain(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      cases: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      epoch: { type: 'boolean', default: false },
      minilm: { type: 'string', default: process.env.HARMAUG_MINILM ?? '' },
      data: { type: 'string', default: process.env.HARMAUG_TRAIN_DATA ?? '../shared/data/train/prompts.jsonl' },
    },
  });
  const threads = readCount('--threads', values.threads);
  const peer = await startTrainPeer(threads);
  const minilm = values.minilm || peer?.minilm;
  const options: TrainOptions = {
    ...values,
    rounds: readCount('--rounds', values.rounds),
    threads,
    minilm: present('weights of MiniLM', minilm, '--minilm <folder> or HARMAUG_MINILM'),
    data: present('prompts', values.data, '--data <jsonl> or HARMAUG_TRAIN_DATA'),
  };
  try {
    return await benchTrain(options, { ours, peer, measureGemm, pauseMs: PAUSE_MS, stderr: process.stderr });
  } finally {
    await peer?.end();
  }
}

export async function benchTrain(options: TrainOptions, setup: TrainSetup): Promise<Report> {
  const plan = planRows(options, setup.peer !== null);
  const machine = describeMachine(options.threads, {
    'onnxruntime-node': onnxruntimeVersion(),
    ...setup.peer?.versions,
  });
  const gemm = await setup.measureGemm(options.threads);
  const gemmCase = `gemm ${Object.values(gemmShape).join('x')}`;
  const rows: Row[] = [
    makeRow({ case: gemmCase, metric: 'rate', unit: 'GFLOP/s', ours: gemm, peers: {}, better: 'higher', details: {} }),
  ];
  const work = (measurement: Measurement) =>
    roughWork(measurement) * (measurement.kind === 'real' ? BATCHES_PER_TURN : 1);
  const total = plan.reduce((sum, { measurement }) => sum + work(measurement), 0);
  const progress = new Progress(total * (options.rounds + 1), setup.stderr);
  for (const [index, { measurement, variants }] of plan.entries()) {
    const sides = countOurs(measurement) + (measurement.withPeer && setup.peer ? variants.length : 0);
    const onTurn = (round: number) =>
      progress.advance(
        work(measurement) / sides,
        `[${index + 1}/${plan.length}] ${measurement.name}, ${round === WARM_UP ? 'warm-up' : `round ${round + 1} of ${options.rounds}`}`,
      );
    const measured =
      measurement.kind === 'fixed'
        ? await measureFixed(measurement, variants, options, setup, onTurn, gemm)
        : await measureReal(measurement, variants, options, setup, onTurn);
    rows.push(...measured);
  }
  progress.finish();
  return { bench: 'train', machine, rows };
}

/** How many of the sides are ours: in int8 there is float32 beside it. */
function countOurs(measurement: Measurement): number {
  return measurement.kind === 'fixed' && measurement.fixed.precision === 'int8' ? 2 : 1;
}

/** The measurements asked for, each with the rows wanted of it. */
function planRows({ cases, threads, epoch, minilm, data }: TrainOptions, hasPeer: boolean) {
  return measurements(threads)
    .filter(({ kind }) => kind === 'fixed' || (minilm !== undefined && data !== undefined))
    .map((measurement) => {
      const half = hasPeer && measurement.withPeer && !(epoch && measurement.kind === 'real');
      const variants: Variant[] = [
        { name: measurement.name, autocast: false },
        ...(half ? [{ name: `${measurement.name} bf16`, autocast: true }] : []),
      ];
      return { measurement, variants: variants.filter(({ name }) => name.includes(cases)) };
    })
    .filter(({ variants }) => variants.length > 0);
}

function readCount(flag: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`${flag}: expected a whole number over 0, got "${text}".`);
}

/** The path where it exists; otherwise one line on stderr. Relative paths are from the repository's root. */
function present(what: string, location: string | null | undefined, remedy: string): string | undefined {
  const full = location && path.resolve(import.meta.dirname, '..', location);
  if (full && existsSync(full)) return full;
  process.stderr.write(`The real rows are left out: no ${what}. Give them with ${remedy}.\n`);
  return undefined;
}

function onnxruntimeVersion(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return JSON.parse(readFileSync(path.join(path.dirname(entry), '..', 'package.json'), 'utf8')).version;
}
