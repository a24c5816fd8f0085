/** What a step of a run is. The table of all of them is in steps.node.ts. */
import type { HubOptions } from '@harmaug/models/node';
import type { StageProgress } from '../stages/stage.ts';
import type { SweepPlan } from '../sweep/plan.node.ts';
import type { SweepEvent } from '../sweep/sweep.node.ts';
import type { ExperimentFiles } from './files.node.ts';
import type { Experiment } from './recipe.node.ts';
import type { StepRecord } from './records.node.ts';

export type StepName =
  | 'generate'
  | 'respond'
  | 'label'
  | 'dataset'
  | 'no-prefix'
  | 'seed'
  | 'sweep'
  | 'guard'
  | 'measure'
  | 'cost'
  | 'report';

/** What happens within a step. */
export type WithinStep =
  | { readonly kind: 'stage'; readonly progress: StageProgress }
  | { readonly kind: 'sweep'; readonly event: SweepEvent }
  /** A line that the next one replaces. */
  | { readonly kind: 'at'; readonly line: string }
  /** A line to keep. */
  | { readonly kind: 'note'; readonly line: string };

export interface StepContext {
  readonly experiment: Experiment;
  readonly files: ExperimentFiles;
  /** Of the steps that are done, this run's. */
  readonly records: ReadonlyMap<StepName, StepRecord>;
  /** The sweep as it is planned: once a run, when its rows are there. */
  readonly plan: () => Promise<SweepPlan>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hub: HubOptions;
  readonly threads: number | undefined;
  /** Whether a sweep over its budget is begun all the same. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  readonly tell: (event: WithinStep) => void;
}

export type StepResult = Pick<StepRecord, 'output' | 'facts'> & {
  /** What came of it, in a few words. */
  readonly line: string;
};

export interface Step {
  readonly name: StepName;
  /** For people: what it makes. */
  readonly about: string;
  readonly isAsked: (experiment: Experiment) => boolean;
  /** Steps whose output it reads, those that are asked for. */
  readonly reads: readonly StepName[];
  /** Files and folders without which it is not done. */
  readonly writes: (files: ExperimentFiles) => readonly string[];
  /** Everything else that its result depends on: settings, files from outside. */
  readonly inputs: (context: StepContext) => unknown | Promise<unknown>;
  /** Makes it, or goes on making it. @returns `null` where the signal stopped it */
  readonly run: (context: StepContext) => Promise<StepResult | null>;
}
