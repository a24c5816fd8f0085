/** The ablation: a second, small run within the run, whose writer begins by itself. */
import { labelSettings, respondSettings } from '../../stages/chain.node.ts';
import type { Pipeline } from '../../stages/pipeline.node.ts';
import type { Experiment } from '../recipe.node.ts';
import { hashFile } from '../records.node.ts';
import type { Step } from '../step.node.ts';
import { exportTo } from './dataset.node.ts';
import { generateInputs, makeStage, withLedger } from './stages.node.ts';

/** The same writer that begins by itself; only what tells how often it gives in, unless students learn from it. */
export function noPrefixPipeline({ pipeline, noPrefix }: Experiment): Pipeline {
  const { perCategory, attempts, responses } = noPrefix!;
  const generate = { ...pipeline.generate!, prefix: null, perCategory, attempts };
  if (responses) return { ...pipeline, generate };
  const respond = { seed: generate.seed, refusal: undefined, compliant: undefined, promptOnly: true };
  return { ...pipeline, generate, benign: undefined, respond };
}

export const noPrefixStep: Step = {
  name: 'no-prefix',
  about: 'the ablation: replies that begin by themselves',
  isAsked: ({ noPrefix }) => noPrefix !== null,
  reads: [],
  writes: ({ noPrefix }) => [`${noPrefix}/ledger.sqlite`],
  async inputs({ experiment }) {
    const pipeline = noPrefixPipeline(experiment);
    const judged = pipeline.label === undefined ? null : await labelSettings(pipeline);
    return [
      await generateInputs(pipeline),
      respondSettings(pipeline),
      judged,
      experiment.noPrefix!.responses,
      experiment.pipeline.dataset,
    ];
  },
  run: (context) =>
    withLedger(context.files.noPrefix, async (ledger) => {
      const { experiment, files } = context;
      const pipeline = noPrefixPipeline(experiment);
      const written = await makeStage('generate', pipeline, ledger, context);
      if (written === null) return null;
      const { kept, wanted, reasons } = written;
      const facts = { kept, wanted, reasons };
      const line = `${kept} of ${wanted} instructions`;
      if (kept === 0) return { output: 'none', facts, line }; // it has refused every time
      for (const stage of ['respond', 'label'] as const) {
        if (pipeline[stage] === undefined) continue;
        if ((await makeStage(stage, pipeline, ledger, context)) === null) return null;
      }
      const { files: made } = await exportTo(files.noPrefixDataset, ['jsonl'], pipeline, ledger, context);
      return { output: await hashFile(made[0]!), facts, line };
    }),
};
