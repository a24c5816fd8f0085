/** How long the cells of a sweep will take, from a few real steps of each student and the operations of all the others. */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { modelShape, mulberry32 } from '@harmaug/models';
import { openTokenizer, parseJsonObject, readLimited } from '@harmaug/models/node';
import type { Row } from '../data/row.ts';
import { epochBatches } from '../distill/epoch.ts';
import { prepareData } from '../distill/prepare.node.ts';
import { runDistillation } from '../distill/run.node.ts';
import { checkSettings, type DistillSettings } from '../distill/settings.ts';
import { type EvaluationSet, evaluate } from '../evaluate/evaluate.ts';
import type { Cell, CellOptions } from './cell.node.ts';

const SAMPLE_ROWS = 128; // of a set, for its lengths
const PROBE_BATCH = 16;
const PROBE_STEPS = 6;
const PROBE_MS = 20_000; // after which no further step of a probe is taken
const SAMPLE_SEED = 3;
const MAX_CONFIG_BYTES = 10_000_000;
const LENGTH_STEP = 8; // tokens; lengths are rounded up to it
const BACKWARD = 2; // a backward pass computes each product's two gradients

type Options = Pick<CellOptions, 'sets' | 'evaluateMaxLength' | 'resamples' | 'device' | 'threads' | 'signal'>;

/** One student's speed, measured. */
interface Speed {
  readonly msPerFlop: number;
  /** Of loading, encoding and saving: what a run takes beside its steps. */
  readonly overheadMs: number;
}

/**
 * Minutes of each cell as if begun anew; `null` where a few steps could not be taken, as the cell itself will say.
 * @param scratch folder for what is written on the way
 */
export async function estimateMinutes(
  cells: readonly Cell[],
  options: Options,
  scratch: string,
): Promise<(number | null)[]> {
  const speeds = new Map<string, Speed | null>();
  const lengths = new Map<string, Promise<number>>();
  const bootstrapMs = options.sets.reduce((sum, set) => sum + bootstrapTime(set, options.resamples), 0);
  const minutes: (number | null)[] = [];
  for (const cell of cells) {
    options.signal.throwIfAborted();
    const { identity } = cell.student;
    if (!speeds.has(identity)) speeds.set(identity, await probe(cell, options, scratch).catch(() => null));
    options.signal.throwIfAborted();
    const speed = speeds.get(identity)!;
    minutes.push(speed === null ? null : (await cellMs(cell, speed, options, lengths)) / 60_000 + bootstrapMs / 60_000);
  }
  return minutes;
}

async function cellMs(
  { setting, student, rows }: Cell,
  { msPerFlop, overheadMs }: Speed,
  { sets, evaluateMaxLength }: Options,
  known: Map<string, Promise<number>>,
): Promise<number> {
  const { distill: settings, transforms } = setting.subject;
  const meanFlops = (key: string, list: readonly Row[], maxLength: number) => {
    const name = `${student.identity}\n${maxLength}\n${key}`;
    const flops = known.get(name) ?? meanFlopsOf(student.folder, list, maxLength);
    known.set(name, flops);
    return flops;
  };
  const learned = [...rows.seed.rows, ...rows.synthetic.rows];
  const count = learned.length * (1 + transforms.length);
  const perEpoch = count * (1 - settings.validationShare);
  const steps = Math.min(
    settings.epochs * Math.ceil(perEpoch / settings.batchSize),
    settings.maxSteps ?? Number.POSITIVE_INFINITY,
  );
  const perRow = await meanFlops(rows.hash, learned, settings.maxLength);
  const epochs = (steps * settings.batchSize) / Math.max(1, perEpoch);
  const training = Math.min(steps * settings.batchSize, settings.epochs * perEpoch) * perRow * (1 + BACKWARD);
  const validation = Math.ceil(epochs) * count * settings.validationShare * perRow;
  let evaluation = 0;
  for (const set of sets) {
    evaluation += set.rows.length * (await meanFlops(set.id, set.rows, evaluateMaxLength ?? 1024));
  }
  return overheadMs + msPerFlop * (training + validation + evaluation);
}

/** Of a forward pass over one of the rows, by a sample of them. */
async function meanFlopsOf(folder: string, rows: readonly Row[], maxLength: number): Promise<number> {
  if (rows.length === 0) return 0;
  const shape = await shapeOf(folder);
  const tokenizer = await openTokenizer(folder);
  const most = Math.min(maxLength, shape.maxLength ?? Number.POSITIVE_INFINITY);
  const flops = sample(rows, SAMPLE_ROWS).map(({ prompt, response }) =>
    shape.ownFlops(roundUp(tokenizer.encode(prompt, response, { maxLength: most }).ids.length)),
  );
  return flops.reduce((sum, one) => sum + one, 0) / flops.length;
}

const roundUp = (length: number) => Math.ceil(length / LENGTH_STEP) * LENGTH_STEP;

async function shapeOf(folder: string) {
  const file = path.join(folder, 'config.json');
  return modelShape(parseJsonObject(await readLimited(file, MAX_CONFIG_BYTES), file), 'sequence-classification');
}

/** A few small steps on the cell's own rows, the first of them not counted, in a folder that is removed. */
async function probe({ setting, student, rows, seed }: Cell, options: Options, scratch: string): Promise<Speed> {
  const asked = setting.subject.distill;
  const settings: DistillSettings = checkSettings({
    ...asked,
    ...{ batchSize: Math.min(asked.batchSize, PROBE_BATCH), epochs: 1, maxSteps: PROBE_STEPS },
    ...{ validationShare: 0, keep: 'last', patience: null, sampling: 'plain', syntheticShare: null },
    ...{ missingSoftLabel: 'hard', categoryWeight: 0 },
  });
  const startMs = performance.now();
  const learned = [...rows.seed.rows, ...rows.synthetic.rows];
  const isUnsafe = ({ label, softLabel }: Row) => (label ?? softLabel ?? 0) > 0.5;
  const half = (PROBE_BATCH * PROBE_STEPS) / 2;
  const seedRows = [true, false].flatMap((unsafe) =>
    sample(
      learned.filter((row) => isUnsafe(row) === unsafe),
      half,
    ),
  );
  const data = await prepareData(student.folder, { seedRows, syntheticRows: [] }, settings, options.signal);
  const out = await mkdtemp(path.join(scratch, 'probe-'));
  const stop = new AbortController();
  const ends: number[] = [];
  try {
    await runDistillation(data, settings, {
      ...{ student: student.folder, out, seed },
      ...(options.device ? { device: options.device } : {}),
      ...(options.threads ? { threads: options.threads } : {}),
      signal: AbortSignal.any([options.signal, stop.signal]),
      onEvent: ({ kind }) => {
        if (kind !== 'step') return;
        ends.push(performance.now());
        if (ends.length > 1 && performance.now() - ends[0]! > PROBE_MS) stop.abort();
      },
    });
    const totalMs = performance.now() - startMs;
    const shape = await shapeOf(student.folder);
    const labels = data.targets.map(({ label }) => label);
    const batches = epochBatches({ lengths: data.lengths, labels, isSynthetic: data.isSynthetic }, settings, {
      ...{ seed, epoch: 0 },
    });
    const counted = batches.slice(1, ends.length);
    const steps = counted.length > 0 ? counted : batches.slice(0, 1);
    const flops =
      steps.flat().reduce((sum, row) => sum + shape.ownFlops(roundUp(data.lengths[row]!)), 0) * (1 + BACKWARD);
    const stepMs = counted.length > 0 ? ends.at(-1)! - ends[0]! : ends[0]! - startMs;
    return { msPerFlop: stepMs / flops, overheadMs: Math.max(0, totalMs - stepMs) };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Milliseconds behind the intervals of a set, from a few resamples of scores that are drawn. */
function bootstrapTime(set: EvaluationSet, resamples: number): number {
  const tried = Math.min(10, resamples);
  const uniform = mulberry32(SAMPLE_SEED);
  const scores = set.rows.map(() => ({ score: uniform() }));
  const startMs = performance.now();
  evaluate(set, scores, 0.5, { resamples: tried });
  return ((performance.now() - startMs) * resamples) / tried;
}

/** At most `count` of the rows, spread over all of them. */
function sample<T>(rows: readonly T[], count: number): T[] {
  if (rows.length <= count) return [...rows];
  return Array.from({ length: count }, (_, n) => rows[Math.floor(((n + 0.5) * rows.length) / count)]!);
}
