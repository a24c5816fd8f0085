/** `harmaug measure`: how often the prefix worked, how varied the set is, what the teacher said of it. */
import path from 'node:path';
import { Ledger } from '../ledger/ledger.node.ts';
import { type Diversity, measureDefaults as defaults, type Measures, measure } from '../measures/measure.node.ts';
import { measuresAsJson } from '../measures/measures-as-json.node.ts';
import { readPipeline } from '../stages/pipeline.node.ts';
import { defineCommand } from './command.node.ts';
import { runFlags } from './stage-flags.node.ts';
import { type Cell, formatTable } from './table.ts';

export const measureCommand = defineCommand({
  summary: 'say how varied a run’s texts are, and how often the writer gave in',
  positional: ['<recipe>'],
  flags: {
    ...runFlags,
    encoder: { kind: 'text', value: '<folder>', help: 'encoder for clusters; that of the recipe’s filters' },
    sample: { kind: 'number', help: `texts compared with each other, for clusters and self-BLEU; ${defaults.sample}` },
    epsilon: { kind: 'number', help: `DBSCAN: cosine distance within which texts are near; ${defaults.epsilon}` },
    minSamples: { kind: 'number', help: `DBSCAN: texts near a core, itself included; ${defaults.minSamples}` },
  },
  notes: `For the ablation without a prefix, measure the run of a recipe with "prefix: none" beside this one.

  harmaug measure recipes/augment.yaml --out runs/first --encoder all-MiniLM-L6-v2`,

  async run(values, io, [recipe]) {
    const pipeline = await readPipeline(recipe!);
    const own = pipeline.filters.embeddings?.encoder;
    const encoder = values.encoder ?? (own === undefined ? null : path.resolve(pipeline.folder, own));
    const ledger = Ledger.open(values.out);
    try {
      const measures = await measure({
        pipeline,
        ledger,
        encoder,
        sample: values.sample ?? defaults.sample,
        epsilon: values.epsilon ?? defaults.epsilon,
        minSamples: values.minSamples ?? defaults.minSamples,
        seed: values.seed ?? defaults.seed,
        signal: io.signal,
        onProgress: io.progress,
      });
      return { json: measuresAsJson(measures), text: present(measures) };
    } finally {
      ledger.close();
    }
  },
});

function present({
  attack,
  candidatesNearlyRepeating,
  seed,
  synthetic,
  together,
  categories,
  scores,
}: Measures): string {
  const row = (name: string, { texts, distinct, selfBleu, nearDuplicates, clusters }: Diversity): Cell[] => {
    return [name, texts, ...distinct, selfBleu, nearDuplicates, clusters];
  };
  const header = ['set', 'texts', 'distinct-1', 'distinct-2', 'distinct-3', 'self-BLEU', 'near-duplicates', 'clusters'];
  const sets = [row('seed', seed), row('synthetic', synthetic), row('together', together)];
  const attacks = formatTable(
    ['prefix', 'replies', 'not refused', 'judged unsafe', 'success', 'nearly repeating'],
    [
      [
        attack.prefix === null ? 'none' : 'yes',
        attack.replies,
        attack.notRefused,
        attack.judgedUnsafe,
        attack.success,
        candidatesNearlyRepeating,
      ],
    ],
  );
  const labelled = scores.some((count) => count > 0)
    ? `\n${formatTable(
        ['p(unsafe)', 'rows'],
        scores.map((count, bin) => [`${(bin / 10).toFixed(1)} to ${((bin + 1) / 10).toFixed(1)}`, count]),
      )}`
    : '';
  return `${attacks}\n${formatTable(header, sets)}\n${formatTable(['category', 'instructions'], Object.entries(categories))}${labelled}`;
}
