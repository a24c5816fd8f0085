/** A whole experiment from one recipe: its steps in order, each made once, gone on with where it was left. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { HubOptions } from '@harmaug/models/node';
import { openSet } from '../evaluate/open-set.node.ts';
import { lockFolder } from '../lock.node.ts';
import { writeResolved } from '../stages/resolved.node.ts';
import { keyOf, writeJson } from '../sweep/manifest.node.ts';
import { planSweep, type SweepPlan } from '../sweep/plan.node.ts';
import { experimentFiles } from './files.node.ts';
import { type Experiment, withMade } from './recipe.node.ts';
import { readRecord, type StepRecord } from './records.node.ts';
import type { Step, StepContext, StepName, WithinStep } from './step.node.ts';
import { steps } from './steps.node.ts';
import { type Summary, summaryOf } from './summary.node.ts';

export interface ExperimentRequest {
  readonly experiment: Experiment;
  /** The run folder. */
  readonly out: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hub?: HubOptions;
  readonly threads?: number | undefined;
  /** Whether a sweep over its budget is begun all the same. */
  readonly force?: boolean;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: ExperimentEvent) => void;
}

/** Which step. */
export interface StepPlace {
  readonly step: StepName;
  readonly about: string;
  /** Counts from 1, of those that the recipe asks for. */
  readonly number: number;
  readonly of: number;
}

export type ExperimentEvent =
  | (StepPlace & { readonly kind: 'step-start' })
  | (StepPlace & { readonly kind: 'step-end'; readonly line: string; readonly seconds: number })
  /** It was made before, from the same. */
  | (StepPlace & { readonly kind: 'step-kept' })
  | (StepPlace & { readonly kind: 'step-stopped' })
  | (StepPlace & { readonly kind: 'within'; readonly event: WithinStep });

/** A change of what records mean. */
const STEP_VERSION = 1;

export const stepsOf = (experiment: Experiment): Step[] => steps.filter(({ isAsked }) => isAsked(experiment));

/**
 * Makes every step that is not made yet, or whose settings or data have changed.
 * @returns `null` where the signal stopped it: the same call goes on from there
 * @throws what a step throws; what was made before is kept
 */
export async function runExperiment(request: ExperimentRequest): Promise<Summary | null> {
  const { experiment, out, env, hub = {}, threads, force = false, signal, onEvent } = request;
  const { recipe, pipeline } = experiment;
  await mkdir(out, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(out, 'run');
  try {
    const files = experimentFiles(out);
    const { distill, sweep, noPrefix, measure, export: exporting, cost, report } = recipe.sections;
    writeResolved(out, pipeline, { noPrefix, distill, sweep, export: exporting, measure, cost, report });
    const records = new Map<StepName, StepRecord>();
    let place: StepPlace | null = null;
    const tell = (event: WithinStep) => onEvent?.({ kind: 'within', ...place!, event });
    const plan = once(() => planOf(experiment, request, tell));
    const context: StepContext = { experiment, files, records, plan, env, hub, threads, force, signal, tell };
    const asked = stepsOf(experiment);
    for (const [index, step] of asked.entries()) {
      place = { step: step.name, about: step.about, number: index + 1, of: asked.length };
      if (!(await makeStep(step, place, context, onEvent))) return null;
    }
    const summary = summaryOf(path.basename(recipe.file), files, records);
    await writeJson(files.summary, summary);
    return summary;
  } finally {
    unlock();
  }
}

/** @returns whether it is done */
async function makeStep(
  step: Step,
  place: StepPlace,
  context: StepContext,
  onEvent: ExperimentRequest['onEvent'],
): Promise<boolean> {
  const { files, signal } = context;
  const records = context.records as Map<StepName, StepRecord>;
  const file = files.record(step.name);
  try {
    if (signal.aborted) return false;
    const key = await keyOfStep(step, context);
    const known = readRecord(file);
    if (known?.key === key && step.writes(files).every((made) => existsSync(made))) {
      records.set(step.name, known);
      onEvent?.({ kind: 'step-kept', ...place });
      return true;
    }
    const startMs = performance.now();
    onEvent?.({ kind: 'step-start', ...place });
    const result = await step.run(context);
    if (result === null) {
      onEvent?.({ kind: 'step-stopped', ...place });
      return false;
    }
    const { output, facts, line } = result;
    const seconds = (performance.now() - startMs) / 1000;
    const record: StepRecord = { key, output, seconds, facts };
    await writeJson(file, record);
    // as a later run will read it
    records.set(step.name, readRecord(file)!);
    onEvent?.({ kind: 'step-end', ...place, line, seconds });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    onEvent?.({ kind: 'step-stopped', ...place });
    return false;
  }
}

async function keyOfStep(step: Step, context: StepContext): Promise<string> {
  const inputs = await step.inputs(context);
  const read = step.reads.map((name) => context.records.get(name)?.output ?? null);
  return keyOf([STEP_VERSION, step.name, inputs ?? null, read]);
}

/** What each step would do now, as far as it can be told without making those before it. */
export function stateOfSteps(experiment: Experiment, out: string): readonly (StepPlace & { isDone: boolean })[] {
  const files = experimentFiles(out);
  const asked = stepsOf(experiment);
  return asked.map(({ name, about, writes }, index) => {
    const isDone = readRecord(files.record(name)) !== null && writes(files).every((made) => existsSync(made));
    return { step: name, about, number: index + 1, of: asked.length, isDone };
  });
}

function planOf(experiment: Experiment, request: ExperimentRequest, tell: StepContext['tell']): Promise<SweepPlan> {
  const { out, env, signal, hub = {} } = request;
  const { sweep } = experimentFiles(out);
  const onProgress = (line: string) => tell({ kind: 'at', line });
  return planSweep({
    ...{ recipe: withMade(experiment, experimentFiles(out)), out: sweep, hub },
    openSet: (name) => openSet(name, { env, signal, onProgress }),
  });
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
