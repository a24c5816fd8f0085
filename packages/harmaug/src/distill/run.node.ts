/** One student, one seed: training with checkpoints, validation and a curve, resumable at any moment. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildModel, collate, type DataPosition, paddedTokens, trainingProgram } from '@harmaug/models';
import {
  hasTraining,
  type LoadedModel,
  loadModel,
  loadTraining,
  readRanges,
  type SavedTraining,
  saveModel,
  saveTraining,
  writeRanges,
} from '@harmaug/models/node';
import { ops, schedules, type Trainer } from 'onnx-grad';
import { createTrainer, type Device } from 'onnx-grad/node';
import { metrics } from '../evaluate/metrics.ts';
import { curveOf, rank } from '../evaluate/ranking.ts';
import { lockFolder } from '../lock.node.ts';
import { scoreEncoded, sigmoid } from '../scoring/score-encoded.ts';
import { Clock } from './clock.ts';
import { readCurve, writeCurve } from './curve.node.ts';
import type { CurvePoint, ValidationPoint } from './curve.ts';
import { expectNoDivergence } from './divergence.ts';
import { expectSame } from './identity.node.ts';
import { meanWeights } from './mean-weights.ts';
import { categoryLoss, distillationLoss } from './objective.ts';
import type { DistillData } from './prepare.node.ts';
import { RECORD_FILE, readRunRecord, writeRunRecord } from './record.node.ts';
import type { DistillSettings } from './settings.ts';
import { planSteps, type StepPlan } from './step-plan.node.ts';

export const LABELS = ['safe', 'unsafe'] as const;

export interface RunOptions {
  /** Hugging Face folder of the student's start. */
  readonly student: string;
  /** What records call it. Default: the folder's name. */
  readonly studentName?: string;
  /** Folder of the result. While the run lasts it holds the checkpoint too. */
  readonly out: string;
  readonly seed: number;
  /**
   * Share of the trained weights in the result, the rest being those of the start (WiSE-FT; Wortsman et al. 2022,
   * arXiv:2109.01903), for a student that is to stay near it. Default 1.
   */
  readonly newWeights?: number;
  readonly device?: Device;
  readonly threads?: number;
  /** Stops after the step in hand, with a checkpoint to go on from. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Time between checkpoints. */
  readonly checkpointEveryMs?: number;
}

export type RunEvent =
  | { readonly kind: 'resumed'; readonly step: number }
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly totalSteps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly rowsPerSecond: number;
      readonly leftMs: number;
    }
  | ValidationPoint
  | { readonly kind: 'saved'; readonly step: number };

export interface RunResult {
  /** False where the signal stopped it. */
  readonly isFinished: boolean;
  readonly steps: number;
  readonly curve: readonly CurvePoint[];
}

const CHECKPOINT_EVERY_MS = 5 * 60_000;

/**
 * Trains, or goes on where a killed run of the same settings and data stopped: the final weights are those of the unbroken
 * run. A finished run is left as it is.
 * @throws ConfigError when `out` holds a run of other settings or data, or another process trains there; DivergedError when
 *   the loss is no number any more, or far above where it began
 */
export async function runDistillation(
  data: DistillData,
  settings: DistillSettings,
  options: RunOptions,
): Promise<RunResult> {
  const { out, seed, student, studentName = path.basename(student), newWeights = 1 } = options;
  const files = runFiles(out);
  await mkdir(out, { recursive: true, mode: 0o700 });
  const identity = { ...settings, newWeights, seed, student: studentName, device: options.device ?? 'cpu' };
  const finished = await readRunRecord(files.record);
  if (finished) {
    expectSame(finished, identity, data.hash, out);
    return { isFinished: true, steps: finished.steps, curve: readCurve(files.curve, finished.steps) };
  }
  const unlock = lockFolder(out, 'distillation');
  try {
    return await train(data, settings, options, identity);
  } finally {
    unlock();
  }
}

async function train(
  data: DistillData,
  settings: DistillSettings,
  options: RunOptions,
  identity: RunParts['identity'],
): Promise<RunResult> {
  const { out, seed } = options;
  const files = runFiles(out);
  const saved = hasTraining(files.training) ? await loadTraining(files.training) : null;
  if (saved) expectSame(saved, identity, data.hash, out);
  const loaded = await loadStudent(options, settings, data.categoryNames);
  const schedule = planSteps(data, settings, seed);
  const trainer = await openTrainer(loaded, saved, settings, schedule.totalSteps, options);
  const run = new Run({ data, settings, options, loaded, trainer, identity, schedule, files }, saved);
  try {
    return await run.toEnd();
  } finally {
    await run.dispose();
  }
}

/** Where a run keeps what. */
export function runFiles(out: string) {
  return {
    record: path.join(out, RECORD_FILE),
    training: path.join(out, 'training'),
    curve: path.join(out, 'curve.jsonl'),
    best: path.join(out, 'best'),
    promptHashes: path.join(out, 'training-prompts.bin'),
  };
}

function loadStudent(
  { student, seed }: RunOptions,
  { dropout, precision }: DistillSettings,
  categories: readonly string[],
): Promise<LoadedModel> {
  const head = 'sequence-classification';
  const named = categories.length > 0 ? { categories } : {};
  return loadModel(student, {
    head,
    labels: LABELS,
    ...named,
    training: dropout === 'model',
    precision,
    initialiseHead: true,
    seed,
  });
}

async function openTrainer(
  { model, weights }: LoadedModel,
  saved: SavedTraining | null,
  settings: DistillSettings,
  totalSteps: number,
  { seed, device, threads }: RunOptions,
): Promise<Trainer> {
  const { learningRate: peak, weightDecay, clipNorm } = settings;
  const verdict = distillationLoss(model.output, settings);
  const { categoryWeight } = settings;
  const loss = model.categories ? ops.add(verdict, ops.mul(categoryLoss(model.categories), categoryWeight)) : verdict;
  const program = trainingProgram(model, { loss, weights, weightDecay });
  const warmupSteps = Math.min(settings.warmupSteps, Math.floor(totalSteps / 10));
  const trainer = await createTrainer(program, {
    learningRate: schedules.linear({ peak, warmupSteps, totalSteps }),
    clipNorm,
    seed,
    ...(device ? { device } : {}),
    ...(threads ? { threads } : {}),
  });
  if (saved) await trainer.restore(saved.state);
  return trainer;
}

interface RunParts {
  readonly data: DistillData;
  readonly settings: DistillSettings;
  readonly options: RunOptions;
  readonly loaded: LoadedModel;
  readonly trainer: Trainer;
  /** Everything that the result depends on, beside the data. */
  readonly identity: Record<string, unknown>;
  readonly schedule: StepPlan;
  readonly files: ReturnType<typeof runFiles>;
}

class Run {
  readonly #parts: RunParts;
  readonly #curve: CurvePoint[];
  /** Of all steps. */
  readonly #losses: number[];
  #position: DataPosition;
  #step: number;
  #isFinished = false;
  #lastSave = performance.now();
  readonly #clock = new Clock();

  constructor(parts: RunParts, saved: SavedTraining | null) {
    this.#parts = parts;
    this.#position = saved?.position ?? { epoch: 0, index: 0 };
    this.#step = saved?.step ?? 0;
    this.#curve = saved ? readCurve(parts.files.curve, saved.step) : [];
    this.#losses = this.#curve.flatMap((point) => (point.kind === 'step' ? [point.loss] : []));
    if (saved) parts.options.onEvent?.({ kind: 'resumed', step: saved.step });
  }

  async toEnd(): Promise<RunResult> {
    const { options, schedule } = this.#parts;
    while (this.#step < schedule.totalSteps && !this.#hasStalled()) {
      await this.#epoch();
      if (options.signal?.aborted) return this.#result();
      if (this.#parts.data.split.validation.length > 0) await this.#validate();
    }
    await this.#writeResult();
    this.#isFinished = true;
    return this.#result();
  }

  /** The rest of the epoch in hand. */
  async #epoch(): Promise<void> {
    const { data, schedule, options, trainer, loaded } = this.#parts;
    const { epoch } = this.#position;
    const batches = schedule.batches(epoch);
    const costs = batches.map((rows) => paddedTokens(data.lengths, rows)); // tokens
    for (let { index } = this.#position; index < batches.length && this.#step < schedule.totalSteps; index++) {
      const rows = batches[index]!;
      const { loss, gradNorm, learningRate, step } = await trainer.step(
        collate(
          rows.map((row) => data.encoded[row]!),
          loaded.model.config,
          this.#labels(rows),
        ),
      );
      this.#step = step;
      this.#position = { epoch, index: index + 1 };
      this.#curve.push({ kind: 'step', step, epoch, loss, gradNorm, learningRate });
      this.#losses.push(loss);
      expectNoDivergence(this.#losses, { ...this.#parts.settings, out: options.out });
      this.#clock.tick(rows.length, costs[index]!);
      options.onEvent?.({
        kind: 'step',
        step,
        totalSteps: schedule.totalSteps,
        epoch,
        loss,
        rowsPerSecond: this.#clock.rowsPerSecond,
        leftMs: this.#clock.msPerToken * this.#tokensLeft(costs, index + 1),
      });
      const isDue = performance.now() - this.#lastSave > (options.checkpointEveryMs ?? CHECKPOINT_EVERY_MS);
      if (isDue || options.signal?.aborted) await this.#save();
      if (options.signal?.aborted) return;
    }
    this.#position = { epoch: epoch + 1, index: 0 };
  }

  #labels(rows: readonly number[]) {
    const { data, settings } = this.#parts;
    const { lambda } = settings;
    const targets = rows.map((row) => data.targets[row]!);
    return {
      ...(lambda < 1 ? { labels: targets.map(({ label }) => label) } : {}),
      ...(lambda > 0 ? { softLabels: targets.map(({ softLabel }) => softLabel) } : {}),
      ...(data.categoryNames.length > 0 ? { categoryLabels: rows.map((row) => data.categories[row]!) } : {}),
    };
  }

  /** Of this epoch as it is, of later ones as much as this one has, up to the last step. */
  #tokensLeft(costs: readonly number[], next: number): number {
    const stepsLeft = this.#parts.schedule.totalSteps - this.#step;
    const inEpoch = costs.slice(next, next + stepsLeft);
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    return sum(inEpoch) + (sum(costs) / costs.length) * (stepsLeft - inEpoch.length);
  }

  async #validate(): Promise<void> {
    const { data, trainer, loaded, options, settings, files } = this.#parts;
    const { validation } = data.split;
    const plain = buildModel(loaded.json, { head: 'sequence-classification', precision: settings.precision });
    const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
    const { margins } = await scoreEncoded(
      async (batch) => ({ logits: (await predictor.run(batch)).logits!.data }),
      validation.map((row) => data.encoded[row]!),
      loaded.model.config,
    );
    await predictor.dispose();
    const curve = curveOf(
      rank(
        margins.map(sigmoid),
        validation.map((row) => data.targets[row]!.label),
      ),
    );
    const [auprc, f1] = [metrics.auprc(curve, HALF), metrics.f1(curve, HALF)];
    const point: ValidationPoint = { kind: 'validation', step: this.#step, epoch: this.#position.epoch - 1, auprc, f1 };
    this.#curve.push(point);
    if (settings.keep === 'best' && bestOf(this.#curve) === point) await this.#writeModel(files.best);
    options.onEvent?.(point);
    await this.#save();
  }

  /** Whether `patience` epochs went by without a better AUPRC. */
  #hasStalled(): boolean {
    const { patience } = this.#parts.settings;
    const best = bestOf(this.#curve);
    return patience !== null && best !== null && this.#position.epoch - 1 - best.epoch >= patience;
  }

  /** The curve first: a checkpoint is never ahead of it. */
  async #save(): Promise<void> {
    const { loaded, trainer, files, identity, data, options } = this.#parts;
    await writeCurve(files.curve, this.#curve);
    const { json, model, tokenizerFiles } = loaded;
    await saveTraining(files.training, {
      json,
      model,
      tokenizerFiles,
      state: await trainer.state(),
      position: this.#position,
      options: identity as never,
      dataHash: data.hash,
    });
    this.#lastSave = performance.now();
    options.onEvent?.({ kind: 'saved', step: this.#step });
  }

  /** The weights that are kept, in the run's own folder; its record last, and then nothing of the checkpoint any more. */
  async #writeResult(): Promise<void> {
    const { files, options, settings, identity, data } = this.#parts;
    await writeCurve(files.curve, this.#curve);
    if (settings.keep === 'best') {
      const { json, model, weights, tokenizerFiles } = await loadModel(files.best, { head: 'sequence-classification' });
      await saveModel(options.out, { json, model, weights, tokenizerFiles });
      const ranges = await readRanges(files.best);
      if (ranges) await writeRanges(options.out, ranges);
    } else {
      await this.#writeModel(options.out);
    }
    await writeFile(files.promptHashes, data.promptHashes);
    await writeRunRecord(files.record, { options: identity, dataHash: data.hash, steps: this.#step });
    for (const folder of [files.training, files.best]) await rm(folder, { recursive: true, force: true });
  }

  async #writeModel(folder: string): Promise<void> {
    const { loaded, trainer, options, settings, data } = this.#parts;
    const { json, model, tokenizerFiles } = loaded;
    const { newWeights = 1 } = options;
    const trained = await trainer.parameters();
    const { ranges } = settings.precision === 'int8' ? await trainer.state() : {};
    const weights =
      newWeights === 1
        ? trained
        : meanWeights(trained, (await loadStudent(options, settings, data.categoryNames)).weights, newWeights);
    await mkdir(folder, { recursive: true });
    await saveModel(folder, { json, model, tokenizerFiles, weights });
    if (ranges && newWeights === 1) await writeRanges(folder, ranges); // of a mean of weights nobody knows them
  }

  #result(): RunResult {
    return { isFinished: this.#isFinished, steps: this.#step, curve: this.#curve };
  }

  async dispose(): Promise<void> {
    await this.#parts.trainer.dispose();
  }
}

const HALF = { threshold: 0.5 };

/** The first validation with the highest AUPRC. */
function bestOf(curve: readonly CurvePoint[]): ValidationPoint | null {
  const points = curve.filter((point) => point.kind === 'validation');
  return points.reduce<ValidationPoint | null>(
    (best, point) => (best === null || (point.auprc ?? 0) > (best.auprc ?? 0) ? point : best),
    null,
  );
}
