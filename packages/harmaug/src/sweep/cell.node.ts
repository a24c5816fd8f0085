/** One cell of a sweep: a student of one setting and seed, trained and measured, or what is left to do of that. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { HubOptions } from '@harmaug/models/node';
import type { Device } from 'onnx-grad/node';
import { type DistillEvent, distillRows } from '../distill/distill.node.ts';
import { messageOf } from '../errors.ts';
import type { Evaluation, EvaluationSet } from '../evaluate/evaluate.ts';
import { measure as measureSet } from '../evaluate/measure.node.ts';
import { type ScoredRow, writeScores } from '../evaluate/scores-file.node.ts';
import { openEncoderScorer } from '../scoring/encoder-scorer.node.ts';
import { type CellEnd, cellFiles, readEnd, readStart, writeJson } from './manifest.node.ts';
import type { SettingRows } from './rows.node.ts';
import type { Setting } from './settings.ts';
import type { Student } from './students.node.ts';

export interface Cell {
  readonly setting: Setting;
  readonly seed: number;
  readonly folder: string;
  readonly trainKey: string;
  readonly key: string;
  readonly student: Student;
  readonly rows: SettingRows;
}

/** `trained`: there is a student, to be measured. `begun`: there is a checkpoint, perhaps. */
export type CellState = 'done' | 'failed' | 'trained' | 'begun' | 'missing';

export interface CellOptions {
  readonly sets: readonly EvaluationSet[];
  readonly evaluateMaxLength: number | null;
  readonly resamples: number;
  readonly device?: Device;
  readonly threads?: number;
  readonly checkpointEveryMs: number;
  readonly hub: HubOptions;
  readonly signal: AbortSignal;
  readonly onEvent: (event: DistillEvent | ScoringEvent) => void;
}

export interface ScoringEvent {
  readonly kind: 'scoring';
  readonly set: string;
  readonly done: number;
  readonly rows: number;
}

/** What the folder holds of this cell; anything else in it is of another recipe. */
export async function stateOf({ folder, trainKey, key }: Cell): Promise<CellState> {
  const end = await readEnd(folder);
  if (end?.key === key) return end.state;
  if (end?.trainKey === trainKey && end.state === 'done') return 'trained';
  return (await readStart(folder))?.trainKey === trainKey ? 'begun' : 'missing';
}

/**
 * Trains and measures, from where the folder was left; what it holds of other settings or data is removed. A cell that
 * cannot be made is recorded with the reason, and tried again by the next run.
 * @returns `null` where the signal stopped it
 */
export async function runCell(cell: Cell, options: CellOptions): Promise<CellEnd | null> {
  const { folder, trainKey, key } = cell;
  const files = cellFiles(folder);
  const state = await stateOf(cell);
  const before = await readEnd(folder);
  if (state === 'missing') await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const clock = await Stopwatch.start(cell, state === 'trained' ? (before?.seconds ?? 0) : null);
  try {
    if (state !== 'trained' && !(await train(cell, options, clock))) return null;
    const evaluations = await measure(cell, options);
    const end: CellEnd = { trainKey, key, state: 'done', seconds: clock.seconds, evaluations };
    await writeJson(files.end, end);
    return end;
  } catch (error) {
    if (options.signal.aborted) return null;
    const message = messageOf(error);
    const end: CellEnd = { trainKey, key, state: 'failed', seconds: clock.seconds, message, evaluations: [] };
    await writeJson(files.end, end);
    return end;
  }
}

/** @returns whether it came to its end */
async function train(
  { setting, seed, folder, student, rows }: Cell,
  { device, threads, checkpointEveryMs, hub, signal, onEvent }: CellOptions,
  clock: Stopwatch,
): Promise<boolean> {
  const { train: trainFiles, synthetic, transforms, distill: settings } = setting.subject;
  const { isFinished } = await distillRows(
    {
      ...{ student: student.folder, hub, train: trainFiles, synthetic, transforms, settings, seeds: [seed] },
      ...{ out: cellFiles(folder).guard, checkpointEveryMs, signal },
      ...(device ? { device } : {}),
      ...(threads ? { threads } : {}),
      onEvent: (event) => {
        if (event.kind === 'saved') clock.note();
        onEvent(event);
      },
    },
    rows,
  );
  await clock.write();
  return isFinished;
}

/** Scores and figures of every set, in files as `harmaug evaluate` writes them. */
async function measure(
  { folder }: Cell,
  { sets, evaluateMaxLength, resamples, threads, signal, onEvent }: CellOptions,
): Promise<Evaluation[]> {
  const files = cellFiles(folder);
  const scorer = await openEncoderScorer(files.guard, {
    ...(evaluateMaxLength === null ? {} : { maxLength: evaluateMaxLength }),
    ...(threads ? { threads } : {}),
  });
  try {
    const evaluations: Evaluation[] = [];
    for (const set of sets) {
      const onProgress = (done: number) => onEvent({ kind: 'scoring', set: set.id, done, rows: set.rows.length });
      const { evaluation, scored } = await measureSet(scorer, set, { resamples, signal, onProgress });
      evaluations.push(evaluation);
      await mkdir(`${folder}/scores`, { recursive: true, mode: 0o700 });
      await writeScores(files.scores(set.id), withUniqueIds(scored));
    }
    await writeJson(files.evaluation, { guard: 'guard', about: scorer.about, sets: evaluations });
    return evaluations;
  } finally {
    await scorer.dispose();
  }
}

/** A file of scores has each id once; the second row of an id gets "#2". */
function withUniqueIds(rows: readonly ScoredRow[]): ScoredRow[] {
  const counts = new Map<string, number>();
  return rows.map((row) => {
    const count = (counts.get(row.id) ?? 0) + 1;
    counts.set(row.id, count);
    return count === 1 ? row : { ...row, id: `${row.id}#${count}` };
  });
}

/** Time spent on a cell over all the starts it took; what came after the last checkpoint of a killed one is not known. */
class Stopwatch {
  readonly #file: string;
  readonly #trainKey: string;
  readonly #before: number;
  readonly #startMs = performance.now();
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, trainKey: string, before: number) {
    this.#file = file;
    this.#trainKey = trainKey;
    this.#before = before;
  }

  /** @param known the seconds so far; `null`: those of the folder's start.json */
  static async start({ folder, trainKey }: Cell, known: number | null): Promise<Stopwatch> {
    const { start } = cellFiles(folder);
    const before = known ?? (existsSync(start) ? ((await readStart(folder))?.seconds ?? 0) : 0);
    const clock = new Stopwatch(start, trainKey, before);
    await clock.write();
    return clock;
  }

  get seconds(): number {
    return this.#before + (performance.now() - this.#startMs) / 1000;
  }

  /** Writes beside the work; a failure shows at the next write. */
  note(): void {
    this.#writing = this.write().catch(() => {});
  }

  async write(): Promise<void> {
    await this.#writing;
    await writeJson(this.#file, { trainKey: this.#trainKey, seconds: this.seconds });
  }
}
