/** One page of everything that the run made. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EvaluationSet } from '../../evaluate/evaluate.ts';
import { writeReport } from '../../report/report.node.ts';
import { cellFiles, writeJson } from '../../sweep/manifest.node.ts';
import { parseJson } from '../../text/json.ts';
import { versions } from '../../versions.node.ts';
import type { Step, StepContext } from '../step.node.ts';

export const reportStep: Step = {
  name: 'report',
  about: 'one page of everything',
  isAsked: () => true,
  reads: ['generate', 'respond', 'label', 'dataset', 'no-prefix', 'seed', 'sweep', 'guard', 'measure', 'cost'],
  writes: ({ report }) => [report],
  inputs: ({ experiment }) => experiment.report,
  async run(context) {
    const { experiment, files } = context;
    const { title, texts } = experiment.report;
    const data: readonly EvaluationSet[] = texts && experiment.hasSweep ? (await context.plan()).sets : [];
    const { bytes, sections } = await writeReport({
      ...{ places: await placesOf(context), out: files.report, title, data },
      version: versions().harmaug!,
    });
    return { output: 'page', facts: { bytes, sections }, line: `${Math.ceil(bytes / 1000)} kB` };
  },
};

/** The run, its results, the sweep, and of every setting the student of the guard's seed, to be looked at closely. */
async function placesOf({ experiment, files, records }: StepContext): Promise<string[]> {
  const { seed } = (records.get('guard')?.facts ?? {}) as { seed?: number };
  const settings = (records.get('sweep')?.facts.settings ?? []) as readonly { name: string }[];
  const closely: string[] = [];
  await rm(files.evaluations, { recursive: true, force: true });
  for (const { name } of seed === undefined ? [] : settings) {
    const cell = cellFiles(path.join(files.sweep, 'cells', name, `seed-${seed}`));
    const evaluation = parseJson(await readFile(cell.evaluation, 'utf8')) as object;
    const named = path.join(files.evaluations, `${name}.json`);
    await writeJson(named, { ...evaluation, guard: `${name}, seed ${seed}` });
    closely.push(named, path.dirname(cell.scores('')), cell.guard);
  }
  const data = experiment.pipeline.generate === undefined ? [] : [files.run];
  const { noPrefix, measure: measured, export: exporting, cost } = experiment;
  const results = [
    ...(measured ? [files.result('measure')] : []),
    ...(measured && noPrefix ? [files.result('measure-no-prefix')] : []),
    ...(exporting ? [files.result('export')] : []),
    ...(cost ? [files.result('cost')] : []),
  ];
  const places = [...data, ...results, ...(experiment.hasSweep ? [files.sweep] : []), ...closely];
  return places.filter((place) => existsSync(place));
}
