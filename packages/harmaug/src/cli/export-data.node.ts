/** `harmaug export-data`: the run's rows as files with a dataset card. */
import path from 'node:path';
import { Ledger } from '../ledger/ledger.node.ts';
import { exportData } from '../stages/export.node.ts';
import { readPipeline } from '../stages/pipeline.node.ts';
import { defineCommand } from './command.node.ts';
import { runFlags } from './stage-flags.node.ts';

export const exportDataCommand = defineCommand({
  summary: 'write the labelled texts as Parquet and JSONL, with a dataset card',
  positional: ['<recipe>'],
  flags: {
    ...runFlags,
    to: { kind: 'text', value: '<folder>', help: 'where the files go; dataset in the run folder' },
    format: { kind: 'texts', value: '<name>', choices: ['jsonl', 'parquet'], help: 'jsonl, parquet; both' },
    unlabelled: { kind: 'flag', help: 'rows without a label, too' },
    limit: { kind: 'number', help: 'most rows' },
  },
  notes: `The files are what harmaug distill --synthetic reads.

  harmaug export-data recipes/augment.yaml --out runs/first
  harmaug distill --student MiniLM-L6 --train seeds.jsonl --synthetic runs/first/dataset/data.parquet --out guard`,

  async run({ out, to, format, unlabelled, limit, seed }, io, [recipe]) {
    const pipeline = await readPipeline(recipe!, { seed });
    const ledger = Ledger.openToRead(out);
    try {
      const { files, counts, leftOut } = await exportData({
        ...{ pipeline, ledger, folder: to ?? path.join(out, 'dataset'), withUnlabelled: unlabelled, limit },
        formats: (format as ('jsonl' | 'parquet')[] | undefined) ?? ['jsonl', 'parquet'],
        signal: io.signal,
        onProgress: (rows) => io.progress(`${rows} rows`),
      });
      const { rows, labelled, unsafe, kinds, categories, responseKinds } = counts;
      const missing = leftOut === 0 ? '' : `, ${leftOut} without a label left out`;
      return {
        json: { files, rows, labelled, unsafe, left_out: leftOut, kinds, response_kinds: responseKinds, categories },
        text: `${rows} rows, ${labelled} labelled, ${unsafe} of them over 0.5${missing}\n${files.join('\n')}\n`,
      };
    } finally {
      ledger.close();
    }
  },
});
