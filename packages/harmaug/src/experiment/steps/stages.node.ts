/** Generate, respond and label as steps: each in the run's own ledger, or for the seed set and the ablation in theirs. */
import { createHash } from 'node:crypto';
import { Ledger } from '../../ledger/ledger.node.ts';
import { hashOfSet } from '../../ledger/sets.node.ts';
import { generateSettings, labelSettings, respondSettings } from '../../stages/chain.node.ts';
import { generate } from '../../stages/generate.node.ts';
import { label } from '../../stages/label.node.ts';
import type { Pipeline } from '../../stages/pipeline.node.ts';
import { respond } from '../../stages/respond.node.ts';
import type { StageResult } from '../../stages/stage.ts';
import { hashData } from '../records.node.ts';
import type { Step, StepContext } from '../step.node.ts';

const stages = { generate, respond, label };

/**
 * Makes what is missing of a stage.
 * @returns `null` where the signal stopped it
 * @throws Error where calls failed for good; those that were answered are recorded
 */
export async function makeStage(
  stage: keyof typeof stages,
  pipeline: Pipeline,
  ledger: Ledger,
  { env, signal, tell }: StepContext,
): Promise<StageResult | null> {
  const result = await stages[stage]({
    ...{ pipeline, ledger, env, signal },
    onProgress: (progress) => tell({ kind: 'stage', progress }),
    onNote: (line) => tell({ kind: 'note', line }),
  });
  if (result.stopped === 'signal') return null;
  if (!result.isComplete) {
    throw new Error(
      `${stage}: ${result.failed} calls failed, the last one so: ${result.lastFailure} What was answered is recorded.`,
    );
  }
  return result;
}

/** With a ledger that is closed whatever happens. */
export async function withLedger<Result>(folder: string, work: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  const ledger = Ledger.open(folder);
  try {
    return await work(ledger);
  } finally {
    ledger.close();
  }
}

/** Of what generate is given: settings, counts, labelled data, evaluation sets. */
export async function generateInputs(pipeline: Pipeline): Promise<readonly unknown[]> {
  const { generate: section, benign, seed, filters, folder } = pipeline;
  const names = [...(seed?.files ?? []), ...filters.benchmarks].map(({ file }) => file);
  const counts = [section!.perCategory, section!.attempts, benign?.share ?? 0];
  return [generateSettings(pipeline), counts, seed?.limit ?? null, await hashData(names, folder)];
}

/** What later steps read of the labels. */
export function hashOfLabels(ledger: Ledger): string {
  const hash = createHash('sha256');
  const sql = 'SELECT pair, soft_label, category FROM labels WHERE position IS NOT NULL ORDER BY position';
  for (const row of ledger.each(sql)) hash.update(JSON.stringify(row));
  return hash.digest('hex').slice(0, 32);
}

interface StageStep extends Pick<Step, 'name' | 'about' | 'reads'> {
  readonly name: keyof typeof stages;
  readonly inputs: (pipeline: Pipeline) => unknown | Promise<unknown>;
  readonly output: (ledger: Ledger) => string;
  readonly rows: string;
}

function stageStep({ inputs, output, rows, ...step }: StageStep): Step {
  return {
    ...step,
    isAsked: ({ pipeline }) => pipeline[step.name] !== undefined,
    writes: ({ run }) => [`${run}/ledger.sqlite`],
    inputs: ({ experiment }) => inputs(experiment.pipeline),
    run: (context) =>
      withLedger(context.files.run, async (ledger) => {
        const result = await makeStage(step.name, context.experiment.pipeline, ledger, context);
        if (result === null) return null;
        const { kept, wanted, reasons } = result;
        return { output: output(ledger), facts: { kept, wanted, reasons }, line: `${kept} of ${wanted} ${rows}` };
      }),
  };
}

export const stageSteps: readonly Step[] = [
  stageStep({
    ...{ name: 'generate', about: 'instructions by the writer', rows: 'instructions', reads: [] },
    inputs: generateInputs,
    output: (ledger) => hashOfSet(ledger, 'instructions'),
  }),
  stageStep({
    ...{ name: 'respond', about: 'a refusal and a compliant response to each', rows: 'texts', reads: ['generate'] },
    inputs: respondSettings,
    output: (ledger) => hashOfSet(ledger, 'pairs'),
  }),
  stageStep({
    ...{ name: 'label', about: 'the teacher’s label for every text', rows: 'texts labelled', reads: ['respond'] },
    inputs: labelSettings,
    output: hashOfLabels,
  }),
];
