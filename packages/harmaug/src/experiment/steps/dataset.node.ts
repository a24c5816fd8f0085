/** The synthetic set as files. */
import path from 'node:path';
import type { Ledger } from '../../ledger/ledger.node.ts';
import { exportData } from '../../stages/export.node.ts';
import type { Pipeline } from '../../stages/pipeline.node.ts';
import { hashFile } from '../records.node.ts';
import type { Step, StepContext } from '../step.node.ts';
import { withLedger } from './stages.node.ts';

/** The rows of a ledger as files. */
export function exportTo(
  folder: string,
  formats: readonly ('jsonl' | 'parquet')[],
  pipeline: Pipeline,
  ledger: Ledger,
  { signal, tell }: StepContext,
) {
  return exportData({
    ...{ pipeline, ledger, folder, formats, signal, withUnlabelled: pipeline.label === undefined },
    onProgress: (rows) => tell({ kind: 'at', line: `${rows} rows` }),
  });
}

export const datasetStep: Step = {
  name: 'dataset',
  about: 'the synthetic set as files, with a card',
  isAsked: ({ pipeline }) => pipeline.respond !== undefined,
  reads: ['generate', 'respond', 'label'],
  writes: ({ dataset, data }) => [data, path.join(dataset, 'data.parquet'), path.join(dataset, 'README.md')],
  inputs: ({ experiment }) => experiment.pipeline.dataset,
  run: (context) =>
    withLedger(context.files.run, async (ledger) => {
      const { files, experiment } = context;
      const { counts } = await exportTo(files.dataset, ['jsonl', 'parquet'], experiment.pipeline, ledger, context);
      const { rows, labelled, unsafe } = counts;
      const line = `${rows} rows, ${unsafe} of them over 0.5`;
      return { output: await hashFile(files.data), facts: { rows, labelled, unsafe }, line };
    }),
};
