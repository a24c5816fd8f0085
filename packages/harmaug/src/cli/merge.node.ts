/** `harmaug merge`: the run folders of shards into one. */
import { Ledger } from '../ledger/ledger.node.ts';
import { mergeRuns } from '../stages/merge.node.ts';
import { readPipeline } from '../stages/pipeline.node.ts';
import { writeResolved } from '../stages/resolved.node.ts';
import { defineCommand } from './command.node.ts';
import { runFlags, stageJson } from './stage-flags.node.ts';

export const mergeCommand = defineCommand({
  summary: 'bring the run folders of shards together',
  positional: ['<recipe>'],
  flags: {
    ...runFlags,
    from: { kind: 'texts', value: '<run>', help: 'run folders of the shards', isRequired: true },
  },
  notes: `A shard holds calls and no decisions: what is a near-duplicate, and so what the next round asks for, only the whole can
tell. Merging decides, without a call. If generate is not complete then, its next round is made by one run, or by shards
that begin as copies of the merged folder.

  harmaug merge recipes/augment.yaml --out runs/all --from runs/part-1 runs/part-2`,

  async run({ out, from, seed }, io, [recipe]) {
    const pipeline = await readPipeline(recipe!, { seed });
    const ledger = Ledger.open(out);
    try {
      writeResolved(out, pipeline);
      const { merged, stages } = await mergeRuns(from, {
        ...{ pipeline, ledger, env: io.env, signal: io.signal, onNote: io.say },
      });
      const lines = merged.map(({ folder, added, different }) => {
        const conflicts =
          different === 0 ? '' : `; ${different} were made in both with another answer, the first is kept`;
        return `${folder}: ${added} calls taken over${conflicts}`;
      });
      const states = stages.map(({ stage, isComplete, kept, wanted }) => {
        return `${stage}: ${kept} of ${wanted}${isComplete ? '' : `, not complete: run harmaug ${stage}`}`;
      });
      return {
        json: { run: out, merged, stages: stages.map((stage) => stageJson(stage, pipeline, out)) },
        text: `${[...lines, ...states].join('\n')}\n`,
      };
    } finally {
      ledger.close();
    }
  },
});
