/** Flags and reports that generate, respond and label share. */

import { messageOf, ProviderError } from '../errors.ts';
import { Ledger } from '../ledger/ledger.node.ts';
import type { Stage } from '../ledger/records.ts';
import type { StageOptions } from '../stages/context.node.ts';
import { need, type Pipeline, readPipeline } from '../stages/pipeline.node.ts';
import { type PlannedCalls, planStage } from '../stages/plan.node.ts';
import { writeResolved } from '../stages/resolved.node.ts';
import type { Shard, StageProgress, StageResult } from '../stages/stage.ts';
import type { CommandIo, CommandResult } from './command.node.ts';
import { type Flags, type FlagValues, UsageError } from './flags.node.ts';
import { timeLeft } from './reporter.ts';
import { formatTable } from './table.ts';

export const runFlags = {
  out: { kind: 'text', value: '<run>', help: 'run folder; started again, a run goes on', isRequired: true },
  seed: { kind: 'number', help: 'of what is drawn and sampled; the recipe’s, or 42' },
} as const satisfies Flags;

export const stageFlags = {
  ...runFlags,
  limit: { kind: 'number', help: 'most rows of the stage' },
  shard: { kind: 'text', value: '<i/n>', help: 'makes the i-th part of n of the calls, and decides nothing' },
  plan: { kind: 'flag', help: 'says what would be called, and calls nothing' },
  budget: {
    kind: 'text',
    value: '<amount>',
    help: 'of the run folder: "500k tokens", or "5 USD" by the recipe’s prices',
  },
} as const satisfies Flags;

type Values = FlagValues<typeof stageFlags>;
type CallingStage = Exclude<Stage, 'probe'>;

/** Runs or plans one stage as the command of its name does. */
export async function runStage(
  stage: CallingStage,
  run: (options: StageOptions) => Promise<StageResult>,
  values: Values,
  io: CommandIo,
  recipe: string,
): Promise<CommandResult> {
  const { limit, seed } = { limit: wholeNumber('limit', values.limit, 1), seed: wholeNumber('seed', values.seed, 0) };
  const shard = parseShard(values.shard);
  const pipeline = await readPipeline(recipe, { seed });
  need(pipeline, stage);
  if (values.plan) return plan(stage, pipeline, { ...values, limit }, io);
  const ledger = Ledger.open(values.out);
  try {
    writeResolved(values.out, pipeline);
    const result = await run({
      ...{ pipeline, ledger, env: io.env, signal: io.signal, limit, shard, budget: values.budget },
      onProgress: (progress) => io.progress(progressLine(progress, pipeline)),
      onNote: io.say,
    });
    return present(result, pipeline, values, recipe);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    throw new Error(`${messageOf(error)} What was answered is recorded; the same command goes on from there.`, {
      cause: error,
    });
  } finally {
    ledger.close();
  }
}

function wholeNumber(name: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
  throw new UsageError(`--${name}: expected a whole number from ${least}, got ${value}.`);
}

/** "2/8", from 1. */
export function parseShard(text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (index >= 1 && index <= count) return { index: index - 1, count };
  throw new UsageError(`--shard: expected such as 1/4, from 1/n to n/n, got "${text}".`);
}

async function plan(stage: CallingStage, pipeline: Pipeline, values: Values, io: CommandIo): Promise<CommandResult> {
  const ledger = openIfThere(values.out);
  try {
    const options = { pipeline, ledger, env: io.env, signal: io.signal, limit: values.limit, onNote: io.say };
    const planned = await planStage(stage, options);
    const currency = pipeline.prices?.currency ?? null;
    const rows = planned.map((one) => [
      one.model,
      one.calls,
      one.mostCalls,
      one.promptTokens,
      one.completionTokens,
      one.cost,
    ]);
    const header = ['model', 'calls', 'at most', 'prompt tokens', 'completion tokens', currency ?? 'cost'];
    const bases = [...new Set(planned.map(({ basis }) => basis))].map((basis) => basisNotes[basis]);
    return {
      json: { stage, run: values.out, currency, calls: planned.map(inSnakeCase) },
      text: `${formatTable(header, rows)}${bases.join('\n')}\n`,
    };
  } finally {
    ledger.close();
  }
}

const basisNotes: Record<PlannedCalls['basis'], string> = {
  calls: 'Tokens are those of a mean call so far.',
  texts: 'Prompt tokens are a quarter of the characters; answers are counted at their limit.',
  expected: 'What earlier stages will give is guessed.',
};

function inSnakeCase({ mostCalls, promptTokens, completionTokens, ...rest }: PlannedCalls) {
  return { ...rest, most_calls: mostCalls, prompt_tokens: promptTokens, completion_tokens: completionTokens };
}

function openIfThere(folder: string): Ledger {
  try {
    return Ledger.openToRead(folder);
  } catch (error) {
    if (/holds no run/.test(messageOf(error))) return Ledger.empty();
    throw error;
  }
}

export function progressLine(progress: StageProgress, { prices }: Pick<Pipeline, 'prices'>): string {
  const { stage, round, done, total, failed, callsPerSecond, leftMs, reasons, tokens, cost } = progress;
  return [
    `${stage}${round > 1 ? `, round ${round}` : ''}: ${done} of ${total} calls`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `${callsPerSecond.toFixed(1)}/s`,
    `${tokens} tokens`,
    ...(cost === null || prices === undefined ? [] : [money(cost, prices.currency)]),
    ...(Object.keys(reasons).length > 0 ? [`rejected: ${listed(reasons)}`] : []),
    timeLeft(leftMs),
  ].join(', ');
}

const money = (amount: number, currency: string) => `${amount.toFixed(4)} ${currency}`;
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

function present(result: StageResult, pipeline: Pipeline, { out, budget }: Values, recipe: string): CommandResult {
  const { stage, made, reused, stopped, isComplete, kept, wanted, reasons, cost, seconds } = result;
  const { prices } = pipeline;
  const tokens = result.promptTokens + result.completionTokens;
  const lines = [
    `${stage}: ${kept} of ${wanted} ${rowNames[stage]}; ${made} calls made, ${reused} were there`,
    ...(Object.keys(reasons).length > 0 ? [`not in the set: ${listed(reasons)}`] : []),
    `${tokens} tokens${cost === null || prices === undefined ? '' : `, ${money(cost, prices.currency)}`}, ${seconds.toFixed(1)} s`,
    ...(isComplete ? shortCells(result) : [...howItEnded(result, budget), ...failures(result)]),
    ...(stopped === 'shard' ? [`With all shards made: harmaug merge ${recipe} --out <run> --from ${out} …`] : []),
  ];
  const exitCode = isComplete || stopped === 'shard' ? 0 : 1;
  return { json: stageJson(result, pipeline, out), text: `${lines.join('\n')}\n`, exitCode };
}

function shortCells({ facts: { short } }: StageResult): string[] {
  const cells = (short ?? []) as { kind: string; category: string; kept: number; wanted: number }[];
  if (cells.length === 0) return [];
  const names = cells.map(({ kind, category, kept, wanted }) => `${category}, ${kind}: ${kept} of ${wanted}`);
  return [`short at the limit of attempts: ${names.join('; ')}`];
}

const AGAIN = 'What was answered is recorded';

function howItEnded({ stopped }: StageResult, budget: string | undefined): string[] {
  const ends: Record<NonNullable<StageResult['stopped']>, string> = {
    budget: `Stopped at the budget of ${budget}. ${AGAIN}; the same command goes on with a higher --budget.`,
    signal: `Stopped. ${AGAIN}; the same command goes on from there.`,
    failures: `Stopped, since no call comes through. ${AGAIN}.`,
    shard: 'This shard’s part is made.',
  };
  return stopped === null ? [] : [ends[stopped]];
}

function failures({ failed, lastFailure }: StageResult): string[] {
  return failed === 0
    ? []
    : [`${failed} calls failed, the last one so: ${lastFailure} The same command asks them again.`];
}

const rowNames: Record<Stage, string> = {
  generate: 'instructions kept',
  respond: 'texts kept',
  label: 'texts labelled',
  probe: '',
};

/** What `--json` prints of a stage. */
export function stageJson(result: StageResult, { prices }: Pipeline, out: string) {
  const { stage, made, reused, failed, stopped, isComplete, kept, wanted, reasons, cost, seconds, facts } = result;
  return {
    ...{ stage, run: out, complete: isComplete, stopped, kept, wanted },
    calls: { made, reused, failed },
    rejected: reasons,
    ...{ prompt_tokens: result.promptTokens, completion_tokens: result.completionTokens },
    ...{ cost, currency: prices?.currency ?? null, seconds },
    ...facts,
  };
}
