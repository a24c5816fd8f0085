/** Merge: shards' calls into one run, and the decisions that only the whole can make. */
import type { Ledger } from '../ledger/ledger.node.ts';
import { type Merged, mergeLedger } from '../ledger/merge.node.ts';
import type { StageOptions } from './context.node.ts';
import { generate } from './generate.node.ts';
import { label } from './label.node.ts';
import { respond } from './respond.node.ts';
import type { StageResult } from './stage.ts';

export interface MergeResult {
  readonly merged: readonly Merged[];
  /** Stages that were published anew, without a call. */
  readonly stages: readonly StageResult[];
}

/**
 * Takes over what each folder has recorded, in the order given, and publishes the stages that have calls. The same folder
 * again changes nothing.
 */
export async function mergeRuns(folders: readonly string[], options: StageOptions): Promise<MergeResult> {
  const { ledger, pipeline } = options;
  const merged = folders.map((folder) => mergeLedger(ledger, folder));
  const stages: StageResult[] = [];
  const offline = { ...options, makesCalls: false };
  if (pipeline.generate) stages.push(await generate(offline));
  const isWhole = stages.every(({ isComplete }) => isComplete);
  if (isWhole && pipeline.respond && hasCallsOf(ledger, 'respond')) stages.push(await respond(offline));
  if (isWhole && pipeline.label && hasCallsOf(ledger, 'label')) stages.push(await label(offline));
  return { merged, stages };
}

function hasCallsOf(ledger: Ledger, stage: string): boolean {
  return ledger.get('SELECT 1 FROM calls WHERE stage = ? LIMIT 1', stage) !== undefined;
}
