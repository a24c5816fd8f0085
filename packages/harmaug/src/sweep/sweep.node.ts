/** The whole command: a recipe's grid in, a student for each cell and one table out. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { HubOptions } from '@harmaug/models/node';
import { ConfigError } from 'onnx-grad';
import type { Device } from 'onnx-grad/node';
import type { DistillEvent } from '../distill/distill.node.ts';
import { rank } from '../evaluate/ranking.ts';
import { readScores } from '../evaluate/scores-file.node.ts';
import { lockFolder } from '../lock.node.ts';
import { versions } from '../versions.node.ts';
import { type Cell, type CellOptions, runCell, type ScoringEvent } from './cell.node.ts';
import { estimateMinutes } from './estimate.node.ts';
import { type CellEnd, cellFiles, readEnd, writeJson } from './manifest.node.ts';
import type { SweepPlan } from './plan.node.ts';
import {
  compareSettings,
  figuresOf,
  isTwoClass,
  resamplesFor,
  type ScoredCell,
  type SweepCell,
  type SweepResult,
  summarizeSettings,
} from './result.ts';

export interface SweepRequest {
  readonly plan: SweepPlan;
  /** Named in the result. */
  readonly recipe: string;
  readonly device?: Device;
  readonly threads?: number;
  readonly hub?: HubOptions;
  /** Whether a sweep over its budget is begun all the same. */
  readonly force?: boolean;
  /** Time between checkpoints of a cell. Default one minute. */
  readonly checkpointEveryMs?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SweepEvent) => void;
}

export type SweepEvent =
  | { readonly kind: 'estimate'; readonly cells: number; readonly minutes: number; readonly unknown: number }
  | (CellPlace & { readonly kind: 'cell-start' })
  | (CellPlace & { readonly kind: 'cell-end'; readonly seconds: number })
  | (CellPlace & { readonly kind: 'cell-failed'; readonly message: string })
  | (CellPlace & { readonly kind: 'within'; readonly event: DistillEvent | ScoringEvent })
  | { readonly kind: 'comparing' };

/** Which cell. */
export interface CellPlace {
  readonly setting: string;
  readonly seed: number;
  /** Counts from 1, of those to do. */
  readonly number: number;
  readonly of: number;
}

export const RESULT_FILE = 'sweep.json';
const CHECKPOINT_EVERY_MS = 60_000;

/**
 * Makes every cell that is not made yet, and writes the result, which is the same whatever was done when.
 * @returns `null` where the signal stopped it: the same call goes on from there
 * @throws ConfigError where it would take longer than its budget, or another process is at it
 */
export async function runSweep(request: SweepRequest): Promise<SweepResult | null> {
  const unlock = lockFolder(request.plan.out, 'sweep');
  try {
    return await runLocked(request);
  } finally {
    unlock();
  }
}

async function runLocked(request: SweepRequest): Promise<SweepResult | null> {
  const { plan, device, threads, hub = {}, force = false, onEvent } = request;
  const { sweep, out, sets, cells, states } = plan;
  const options: CellOptions = {
    ...{ sets, evaluateMaxLength: sweep.evaluateMaxLength, resamples: sweep.resamples, hub },
    ...(device ? { device } : {}),
    ...(threads ? { threads } : {}),
    checkpointEveryMs: request.checkpointEveryMs ?? CHECKPOINT_EVERY_MS,
    signal: request.signal ?? new AbortController().signal,
    onEvent: () => {},
  };
  const toDo = cells.filter((_, index) => states[index] !== 'done');
  await removeProbes(out);
  try {
    if (toDo.length > 0) await keepToBudget(toDo, options, { out, budget: sweep.budgetMinutes, force, onEvent });
  } catch (error) {
    if (options.signal.aborted) return null;
    throw error;
  }
  for (const [index, cell] of toDo.entries()) {
    if (options.signal.aborted) return null;
    const place = { setting: cell.setting.name, seed: cell.seed, number: index + 1, of: toDo.length };
    onEvent?.({ kind: 'cell-start', ...place });
    const end = await runCell(cell, { ...options, onEvent: (event) => onEvent?.({ kind: 'within', ...place, event }) });
    if (end === null) return null;
    if (end.state === 'failed') onEvent?.({ kind: 'cell-failed', ...place, message: end.message ?? '' });
    else onEvent?.({ kind: 'cell-end', ...place, seconds: end.seconds });
  }
  onEvent?.({ kind: 'comparing' });
  const result = await resultOf(plan, request.recipe);
  await writeJson(path.join(out, RESULT_FILE), result);
  return result;
}

interface Budget {
  readonly out: string;
  readonly budget: number | null;
  readonly force: boolean;
  readonly onEvent: ((event: SweepEvent) => void) | undefined;
}

/** @throws ConfigError */
async function keepToBudget(cells: readonly Cell[], options: CellOptions, { out, budget, force, onEvent }: Budget) {
  const estimates = await estimateMinutes(cells, options, out);
  const minutes = estimates.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  const unknown = estimates.filter((one) => one === null).length;
  onEvent?.({ kind: 'estimate', cells: cells.length, minutes, unknown });
  if (budget === null || minutes <= budget || force) return;
  throw new ConfigError(
    `The ${cells.length === 1 ? '1 cell that is' : `${cells.length} cells that are`} left would take about ${minutes.toFixed(minutes < 10 ? 1 : 0)} minutes, the budget is ` +
      `${budget}. Leave out settings or seeds, take fewer rows (--limit), raise --budget-minutes, or begin all the same with --force.`,
  );
}

/** From what the cells' folders hold under their present keys, and that alone. */
export async function resultOf({ sweep, out, about, cells }: SweepPlan, recipe: string): Promise<SweepResult> {
  const settings = sweep.settings.map(({ name }) => name);
  const listed: SweepCell[] = [];
  const scored: ScoredCell[] = [];
  for (const cell of cells) {
    const end = await readEnd(cell.folder);
    const current = end?.key === cell.key ? end : null;
    listed.push(listCell(cell, current, out));
    if (current?.state === 'done') scored.push(await readCell(cell, current));
  }
  const { baseline, seeds } = sweep;
  const resamples = resamplesFor(settings.length, about.filter(isTwoClass).length, sweep.resamples);
  return {
    ...{
      kind: 'sweep',
      version: 1,
      recipe,
      createdAt: new Date().toISOString(),
      versions: versions(),
      baseline,
      seeds,
    },
    settings: sweep.settings.map(({ name, values }) => ({ name, values })),
    sets: about,
    cells: listed,
    summary: summarizeSettings(settings, scored),
    comparisons: baseline === null ? [] : compareSettings(settings, baseline, scored, { resamples }),
  };
}

function listCell({ setting, seed, folder }: Cell, end: CellEnd | null, out: string): SweepCell {
  return {
    ...{ setting: setting.name, seed, state: end?.state ?? 'missing' },
    figures: Object.fromEntries((end?.evaluations ?? []).map((one) => [one.set, figuresOf(one)])),
    ...{ seconds: end?.seconds ?? null, folder: path.relative(out, folder).replaceAll(path.sep, '/') },
    ...(end?.message === undefined ? {} : { message: end.message }),
  };
}

async function readCell({ setting, seed, folder }: Cell, { evaluations }: CellEnd): Promise<ScoredCell> {
  const rankings = [];
  for (const { set } of evaluations) {
    const rows = await readScores(cellFiles(folder).scores(set));
    rankings.push(
      rank(
        rows.map(({ score }) => score),
        rows.map(({ label }) => label),
      ),
    );
  }
  return { setting: setting.name, seed, evaluations, rankings };
}

/** Probes of a sweep that was killed while it estimated. */
async function removeProbes(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    if (name.startsWith('probe-')) await rm(path.join(out, name), { recursive: true, force: true });
  }
}
