/** The surroundings of a stage that makes calls: ledger, writer, models, budget. */
import { CallWriter, spentBy } from '../ledger/calls.node.ts';
import { shardOf } from '../ledger/key.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import { Budget, parseLimit } from './budget.ts';
import { Models } from './models.node.ts';
import type { Pipeline } from './pipeline.node.ts';
import type { Shard, StageProgress } from './stage.ts';

export interface StageOptions {
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Most rows of the stage. */
  readonly limit?: number | undefined;
  readonly shard?: Shard | undefined;
  /** Of the whole run folder: "500k tokens", "5 USD". */
  readonly budget?: string | undefined;
  /** Default true; without calls a stage publishes what is recorded. */
  readonly makesCalls?: boolean;
  readonly onProgress?: (progress: StageProgress) => void;
  /** Things worth a line. */
  readonly onNote?: (line: string) => void;
}

export interface StageContext extends StageOptions {
  readonly writer: CallWriter;
  readonly models: Models;
  readonly spending: Budget | null;
  /** Whether a call is to be made here. */
  readonly isMine: (key: string) => boolean;
}

/** Runs `work` with all that is opened for it, and closes it after. @throws what `work` throws, or the ledger */
export async function withContext<Result>(
  options: StageOptions,
  work: (context: StageContext) => Promise<Result>,
): Promise<Result> {
  const { pipeline, ledger, env, shard, budget } = options;
  const broken = new AbortController(); // the ledger cannot be written any more
  const writer = new CallWriter(ledger, (error) => broken.abort(error));
  const models = new Models(pipeline, env);
  const signal = AbortSignal.any([options.signal, broken.signal]);
  const { makesCalls = true } = options;
  const isMine = (key: string) => makesCalls && (shard === undefined || shardOf(key, shard.count) === shard.index);
  try {
    const spending = budget === undefined ? null : openBudget(ledger, budget, pipeline);
    const result = await work({ ...options, signal, writer, models, spending, isMine });
    writer.flush();
    broken.signal.throwIfAborted();
    return result;
  } finally {
    await models.dispose();
  }
}

function openBudget(ledger: Ledger, text: string, { prices }: Pipeline): Budget {
  const limit = parseLimit(text, prices?.currency);
  const { promptTokens, completionTokens, cost } = spentBy(ledger);
  if (limit.unit === 'tokens') return new Budget(limit, promptTokens + completionTokens);
  return new Budget(limit, cost);
}
