/** How often the prefix worked and how varied the texts are, as `harmaug measure` says it. */
import path from 'node:path';
import { type MeasureOptions, measure, measureDefaults } from '../../measures/measure.node.ts';
import { measuresAsJson } from '../../measures/measures-as-json.node.ts';
import { hashOfWeights } from '../../stages/identity.node.ts';
import type { Pipeline } from '../../stages/pipeline.node.ts';
import { keyOf, writeJson } from '../../sweep/manifest.node.ts';
import type { Experiment } from '../recipe.node.ts';
import type { Step } from '../step.node.ts';
import { noPrefixPipeline } from './no-prefix.node.ts';
import { withLedger } from './stages.node.ts';

function encoderOf({ measure: settings, pipeline }: Experiment): string | null {
  const named = settings?.encoder ?? pipeline.filters.embeddings?.encoder;
  return named === undefined ? null : path.resolve(pipeline.folder, named);
}

export const measureStep: Step = {
  name: 'measure',
  about: 'how often the prefix worked, how varied the texts are',
  isAsked: ({ measure: settings }) => settings !== null,
  reads: ['generate', 'label', 'no-prefix'],
  writes: ({ result }) => [result('measure')],
  async inputs({ experiment }) {
    const encoder = encoderOf(experiment);
    return [experiment.measure, encoder === null ? null : await hashOfWeights(encoder)];
  },
  async run({ experiment, files, signal, tell }) {
    const { encoder: _, ...given } = experiment.measure!;
    const of = (folder: string, pipeline: Pipeline, encoder: string | null) =>
      withLedger(folder, (ledger) =>
        measure({
          ...({ ...measureDefaults, ...given } as Pick<MeasureOptions, 'sample' | 'epsilon' | 'minSamples' | 'seed'>),
          ...{ pipeline, ledger, encoder, signal },
          onProgress: (line) => tell({ kind: 'at', line }),
        }),
      );
    const own = await of(files.run, experiment.pipeline, encoderOf(experiment));
    const bare = experiment.noPrefix === null ? null : await of(files.noPrefix, noPrefixPipeline(experiment), null);
    const json = measuresAsJson(own);
    await writeJson(files.result('measure'), json);
    if (bare !== null) await writeJson(files.result('measure-no-prefix'), measuresAsJson(bare));
    const { seed, synthetic, together } = own;
    return {
      output: keyOf([json, bare && measuresAsJson(bare)]),
      facts: { attack: own.attack, attackWithout: bare?.attack ?? null, diversity: { seed, synthetic, together } },
      line: `${own.attack.replies} replies, ${together.texts} texts`,
    };
  },
};
