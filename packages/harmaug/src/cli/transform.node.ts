/** `harmaug transform`: rows in disguise, as a file of their own. */
import { readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { createProvider } from '../providers/create.node.ts';
import { datasetColumns } from '../stages/dataset-columns.ts';
import { callsAtOnce } from '../stages/models.node.ts';
import { modelOf, type Pipeline, readPipeline } from '../stages/pipeline.node.ts';
import { createRowFile } from '../stages/row-files.node.ts';
import { unknownName } from '../text/suggest.ts';
import { applyTransform, type TransformOptions } from '../transforms/apply.ts';
import { parseTransform } from '../transforms/spec.ts';
import { describeTransforms } from '../transforms/table.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';

export const transformCommand = defineCommand({
  summary: 'write rows in disguise: ciphers, encodings, look-alikes, role-play, other languages',
  flags: {
    data: { kind: 'texts', value: '<file>', help: 'rows', isRequired: true },
    with: { kind: 'texts', value: '<name:value>', help: 'the disguise; several: the rows in each', isRequired: true },
    out: { kind: 'text', value: '<file>', help: '.jsonl or .parquet; it holds the texts', isRequired: true },
    plain: { kind: 'flag', help: 'the rows as they are go first' },
    seed: { kind: 'number', help: 'of what is drawn; 0' },
    recipe: { kind: 'text', value: '<yaml>', help: 'whose section "models" has the one that translates' },
    model: { kind: 'text', value: '<name>', help: 'which of them' },
    ...dataFlags,
  },
  notes: `Labels stay as they are; id and source name the disguise.

${describeTransforms()}

"role-play+base64" does one after the other, "hex@prompt" and "hex@response" change that side alone.

  harmaug transform --data test.jsonl --with caesar:3 morse --out ciphered.jsonl
  harmaug transform --data test.jsonl --with translate:German --recipe recipes/augment.yaml --model writer --out german.jsonl`,

  async run(values, io) {
    const transforms = values.with.map((spec) => parseTransform(spec, '--with'));
    const needsModel = transforms.some((transform) => transform.needsModel);
    if (needsModel && (values.recipe === undefined || values.model === undefined)) {
      throw new UsageError('translate needs a language model: give --recipe and --model.');
    }
    const { rows } = await readRows(values.data, readOptions(values));
    const file = createRowFile(values.out, columns);
    const model = needsModel ? await openModel(values.recipe!, values.model!, io) : null;
    const skipped = new Map<string, number>();
    let written = 0;
    const write = (row: Row) => {
      const { id, prompt, response = null, softLabel = null, label = null, source = null, category = null } = row;
      file.add({ id, prompt, response, soft_label: softLabel, label, source, category });
      written += 1;
    };
    try {
      if (values.plain) rows.forEach(write);
      for (const transform of transforms) {
        const made = await applyTransform(rows, transform, {
          ...(values.seed === undefined ? {} : { seed: values.seed }),
          ...model,
          signal: io.signal,
          onProgress: (done) => io.progress(`${transform.spec}: ${done} of ${rows.length} rows`),
        });
        made.rows.forEach(write);
        for (const [reason, count] of made.skipped) skipped.set(reason, (skipped.get(reason) ?? 0) + count);
      }
      file.finish();
    } catch (error) {
      file.discard();
      throw error;
    } finally {
      await model?.provider.dispose();
    }
    const left = [...skipped].map(([reason, count]) => `${count} left out: ${reason}`);
    return {
      json: {
        out: values.out,
        rows: rows.length,
        written,
        transforms: values.with,
        skipped: Object.fromEntries(skipped),
      },
      text: `${[`${rows.length} rows read, ${written} written to ${values.out}`, ...left].join('\n')}\n`,
    };
  },
});

const CONTRACT: readonly string[] = ['id', 'prompt', 'response', 'soft_label', 'label', 'source', 'category'];
const columns = datasetColumns.filter(({ name }) => CONTRACT.includes(name));

/** @throws UsageError for a model that the recipe does not have */
async function openModel(
  recipe: string,
  name: string,
  { env }: CommandIo,
): Promise<Required<Pick<TransformOptions, 'provider' | 'concurrency'>>> {
  const pipeline: Pipeline = await readPipeline(recipe);
  const names = Object.keys(pipeline.models);
  if (!names.includes(name)) throw new UsageError(`--model: ${unknownName('model', name, names)}`);
  const { config } = modelOf(pipeline, name);
  return {
    provider: await createProvider(config, { name, folder: pipeline.folder, env }),
    concurrency: callsAtOnce(config),
  };
}
