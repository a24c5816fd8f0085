/** `harmaug run`: a whole experiment from one recipe. */
import { messageOf } from '../errors.ts';
import { type Experiment, readExperiment } from '../experiment/recipe.node.ts';
import { type ExperimentEvent, runExperiment, stateOfSteps } from '../experiment/run.node.ts';
import type { WithinStep } from '../experiment/step.node.ts';
import { type CommandIo, type CommandResult, defineCommand } from './command.node.ts';
import { type Flags, type FlagValues, UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { timeLeft } from './reporter.ts';
import { formatSummary } from './run-table.node.ts';
import { progressLine } from './stage-flags.node.ts';
import { reportSweep } from './sweep.node.ts';
import { formatTable } from './table.ts';

export const wholeRunFlags = {
  plan: { kind: 'flag', help: 'lists the steps, and makes none' },
  force: { kind: 'flag', help: 'begins a sweep that is over its budget all the same' },
  threads: { kind: 'number', help: 'of the CPU, for students; all cores' },
} as const satisfies Flags;

export const runCommand = defineCommand({
  summary: 'make a whole experiment from one recipe: data, students, a guard, figures, a report',
  positional: ['<recipe>'],
  flags: {
    out: { kind: 'text', value: '<run>', help: 'run folder; started again, a run goes on', isRequired: true },
    ...wholeRunFlags,
  },
  notes: `Each section of the recipe asks for its step: generate, respond, label, noPrefix, sweep, export, measure, cost. What is
made is not made again, unless its settings or its data have changed. Ctrl-C stops in order, a second one at once; the same
command goes on. In the run folder: report.html, summary.json, guard, dataset; the workings beside them.

  harmaug run recipes/laptop.yaml --out runs/laptop --plan
  harmaug run recipes/laptop.yaml --out runs/laptop`,

  run: (values, io, [recipe]) => runRecipe(recipe!, values, io, `npx harmaug run ${recipe} --out ${values.out}`),
});

/** @param again the command that goes on */
export async function runRecipe(
  recipe: string,
  { out, plan, force, threads }: FlagValues<typeof wholeRunFlags> & { readonly out: string },
  io: CommandIo,
  again: string,
): Promise<CommandResult> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0))
    throw new UsageError(`--threads: expected a whole number over 0, got ${threads}.`);
  const experiment = await readExperiment(recipe);
  if (plan) return planned(experiment, out);
  const { env, signal } = io;
  const teller = new Teller(experiment, io);
  try {
    const summary = await runExperiment({
      ...{ experiment, out, env, hub: hubOptions(io), threads, force, signal },
      onEvent: (event) => teller.tell(event),
    });
    if (summary !== null) return { json: summary, text: formatSummary(summary) };
  } catch (error) {
    throw new Error(`${teller.where}${messageOf(error)} What is made is kept; the same command goes on from there.`, {
      cause: error,
    });
  }
  return {
    json: { kind: 'run', isFinished: false, step: teller.step },
    text: `Stopped${teller.step === null ? '' : ` in ${teller.step}`}. What is made is kept; this goes on from there:\n  ${again}\n`,
    exitCode: 1,
  };
}

function planned(experiment: Experiment, out: string): CommandResult {
  const states = stateOfSteps(experiment, out);
  const rows = states.map(({ step, about, isDone }) => [step, isDone ? 'made' : 'to make', about]);
  const steps = states.map(({ step, about, isDone }) => ({ step, about, made: isDone }));
  return { json: { run: out, steps }, text: formatTable(['step', 'state', 'what it makes'], rows) };
}

/** Events as lines on stderr. */
class Teller {
  readonly #experiment: Experiment;
  readonly #io: CommandIo;
  #place: Extract<ExperimentEvent, { kind: 'step-start' }> | null = null;
  /** When the sweep at hand should be done, in ms; `null`: not known. */
  #endMs: number | null = null;

  constructor(experiment: Experiment, io: CommandIo) {
    this.#experiment = experiment;
    this.#io = io;
  }

  /** The step at hand. */
  get step(): string | null {
    return this.#place?.step ?? null;
  }

  /** Before an error's message. */
  get where(): string {
    return this.#place === null ? '' : `${this.#place.step}: `;
  }

  tell(event: ExperimentEvent): void {
    const { say } = this.#io;
    const place = `${event.number}/${event.of} ${event.step}`;
    if (event.kind === 'step-start') {
      this.#place = event;
      say(`${place}: ${event.about}`);
    } else if (event.kind === 'step-end') {
      this.#place = null;
      this.#endMs = null;
      say(`${place}: ${event.line}, ${duration(event.seconds)}`);
    } else if (event.kind === 'step-kept') {
      say(`${place}: made before`);
    } else if (event.kind === 'within') {
      this.#within(event.event, place);
    }
  }

  #within(event: WithinStep, place: string): void {
    const progress = (line: string) => this.#io.progress(`${place}: ${line}`);
    const say = (line: string) => this.#io.say(`${place}: ${line}`);
    if (event.kind === 'note') say(event.line);
    else if (event.kind === 'at') progress(event.line);
    else if (event.kind === 'stage') {
      const line = progressLine(event.progress, this.#experiment.pipeline);
      progress(line.replace(`${this.step}: `, ''));
    } else {
      const { event: own } = event;
      if (own.kind === 'estimate' && own.unknown === 0) this.#endMs = performance.now() + own.minutes * 60_000;
      reportSweep(own, { say, progress: (line) => progress(`${line}${this.#ofAll()}`) });
    }
  }

  /** Of a sweep, all its cells together. */
  #ofAll(): string {
    return this.#endMs === null ? '' : `; of all ${timeLeft(this.#endMs - performance.now())}`;
  }
}

/** "0.4 s", "12 s", "3 min 20 s" */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
