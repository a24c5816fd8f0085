/** The seed set with the teacher's labels: rows imported into a ledger of their own, and judged there. */
import path from 'node:path';
import type { ColumnMap } from '../../data/formats.ts';
import { clearRows } from '../../ledger/sets.node.ts';
import { labelSettings } from '../../stages/chain.node.ts';
import { importRows } from '../../stages/import.node.ts';
import type { Pipeline } from '../../stages/pipeline.node.ts';
import { type Experiment, labelsSeed } from '../recipe.node.ts';
import { hashData, hashFile } from '../records.node.ts';
import type { Step } from '../step.node.ts';
import { exportTo } from './dataset.node.ts';
import { makeStage, withLedger } from './stages.node.ts';

/** The seed set alone: nothing is written, nothing is left out for being alike. */
function seedPipeline({ pipeline }: Experiment): Pipeline {
  const { respond } = pipeline;
  const filters = { ...pipeline.filters, nearDuplicates: false as const, benchmarks: [], embeddings: undefined };
  const alone = { seed: respond?.seed ?? 42, refusal: undefined, compliant: undefined, promptOnly: true };
  return { ...pipeline, filters, generate: undefined, benign: undefined, respond: alone };
}

export const seedStep: Step = {
  name: 'seed',
  about: 'the teacher’s labels for the seed set',
  isAsked: (experiment) => labelsSeed(experiment),
  reads: [],
  writes: ({ seedData }) => [seedData],
  async inputs({ experiment: { pipeline } }) {
    const seed = pipeline.seed!;
    const names = seed.files.map(({ file }) => file);
    return [seed, await hashData(names, pipeline.folder), await labelSettings(pipeline)];
  },
  run: (context) =>
    withLedger(context.files.seed, async (ledger) => {
      const { experiment, files, env, signal } = context;
      const pipeline = seedPipeline(experiment);
      clearRows(ledger);
      let left = pipeline.seed!.limit ?? Number.POSITIVE_INFINITY;
      for (const { file, ...how } of pipeline.seed!.files) {
        const { format, columns } = { format: undefined, columns: undefined, ...how };
        const as = (columns as ColumnMap | undefined) ?? format;
        const read = { ...(as === undefined ? {} : { format: as }), limit: left };
        if (left <= 0) break;
        const { rows } = await importRows(ledger, {
          ...{ pipeline, files: [path.resolve(pipeline.folder, file)], read, source: 'seed', env, signal },
        });
        left -= rows;
      }
      for (const stage of ['respond', 'label'] as const) {
        if ((await makeStage(stage, pipeline, ledger, context)) === null) return null;
      }
      const { counts } = await exportTo(files.seedDataset, ['jsonl'], pipeline, ledger, context);
      const { rows, labelled, unsafe } = counts;
      return {
        output: await hashFile(files.seedData),
        facts: { rows, labelled, unsafe },
        line: `${rows} rows, ${unsafe} of them over 0.5`,
      };
    }),
};
