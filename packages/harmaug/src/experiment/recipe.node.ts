/** A recipe as a whole experiment: every section checked, and that those fit together, before anything is made. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { type Recipe, readRecipe, type Section } from '../recipe/recipe.node.ts';
import { type Pipeline, pipelineOf } from '../stages/pipeline.node.ts';
import { readSweep, type Sweep } from '../sweep/recipe.node.ts';
import { parseConfig } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import { type ExperimentFiles, experimentFiles } from './files.node.ts';
import { type ExperimentSectionName, type ExperimentSettings, experimentSections } from './settings.ts';

type Own = { readonly [Name in ExperimentSectionName]: ExperimentSettings<Name> | null };

export interface Experiment extends Own {
  readonly recipe: Recipe;
  readonly pipeline: Pipeline;
  readonly report: ExperimentSettings<'report'>;
  readonly hasSweep: boolean;
}

/** @throws FormatError or ConfigError naming file, section and key */
export async function readExperiment(file: string): Promise<Experiment> {
  const recipe = await readRecipe(file);
  const experiment = parseExperiment(recipe, pipelineOf(recipe));
  for (const problem of misfitsOf(experiment)) throw new ConfigError(`${file}: ${problem}`);
  return experiment;
}

/** Sections, each by itself. @throws ConfigError */
export function parseExperiment(recipe: Recipe, pipeline: Pipeline): Experiment {
  const parse = <Name extends ExperimentSectionName>(name: Name): ExperimentSettings<Name> | null => {
    const value = recipe.sections[name];
    if (value === undefined) return null;
    return parseConfig(experimentSections[name], value, `${recipe.file}: ${name}`) as ExperimentSettings<Name>;
  };
  return {
    ...{ recipe, pipeline, hasSweep: recipe.sections.sweep !== undefined },
    ...{ noPrefix: parse('noPrefix'), measure: parse('measure'), export: parse('export'), cost: parse('cost') },
    report: parse('report') ?? experimentSections.report.parse({}),
  };
}

/** Sections that need another one, and names of what the run does not make. */
export function* misfitsOf(experiment: Experiment): Generator<string> {
  const { pipeline, noPrefix, measure, export: exporting, cost, hasSweep, recipe } = experiment;
  const needs = (name: string, what: string, isThere: boolean) =>
    isThere ? [] : [`"${name}" needs ${what}, and that section is missing.`];
  if (noPrefix) yield* needs('noPrefix', '"generate"', pipeline.generate !== undefined);
  if (noPrefix?.responses) yield* needs('noPrefix.responses', '"respond"', pipeline.respond !== undefined);
  if (measure) yield* needs('measure', '"generate"', pipeline.generate !== undefined);
  if (pipeline.label) yield* needs('label', '"respond"', pipeline.respond !== undefined);
  if (exporting) yield* needs('export', '"sweep"', hasSweep);
  if (cost) yield* needs('cost', '"export"', exporting !== null);
  if (!hasSweep && pipeline.generate === undefined) yield 'it makes nothing: there is neither "generate" nor "sweep".';
  if (measure?.encoder !== undefined && !existsSync(path.resolve(pipeline.folder, measure.encoder)))
    yield `measure.encoder: ${measure.encoder} does not exist.`;
  if (cost?.shape !== undefined && !existsSync(path.resolve(pipeline.folder, cost.shape)))
    yield `cost.shape: ${cost.shape} does not exist.`;
  if (!hasSweep) return;
  const section = recipe.sections.sweep!;
  if (section.train === undefined) yield* needs('sweep', '"train", or "seed"', pipeline.seed !== undefined);
  yield* unmade(experiment);
  if (exporting?.setting !== undefined) {
    const settings = namesOfSettings(experiment);
    if (!settings.includes(exporting.setting))
      yield `export.setting: ${unknownName('setting', exporting.setting, settings)}`;
  }
}

const MADE = 'run:'; // begins the names of what the run itself makes

/** Those names, and whether this recipe makes it. */
const made: Readonly<
  Record<
    string,
    { readonly file: (files: ExperimentFiles) => string; readonly isMade: (experiment: Experiment) => boolean }
  >
> = {
  seed: { file: ({ seedData }) => seedData, isMade: labelsSeed },
  dataset: { file: ({ data }) => data, isMade: ({ pipeline }) => pipeline.generate !== undefined },
  'no-prefix': { file: ({ noPrefixData }) => noPrefixData, isMade: ({ noPrefix }) => noPrefix?.responses === true },
};

function* unmade(experiment: Experiment): Generator<string> {
  for (const text of textsIn(experiment.recipe.sections.sweep)) {
    if (!text.startsWith(MADE)) continue;
    const name = text.slice(MADE.length);
    if (made[name] === undefined) yield `sweep: ${unknownName('part of a run', name, Object.keys(made))}`;
    else if (!made[name].isMade(experiment)) yield `sweep: ${text} is not made by this recipe.${remedies[name] ?? ''}`;
  }
}

const remedies: Readonly<Record<string, string>> = {
  seed: ' It needs the sections seed and label.',
  dataset: ' It needs the section generate.',
  'no-prefix': ' It needs a section noPrefix with responses: true.',
};

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Whether the teacher labels the seed set, for students to learn from. */
export function labelsSeed({ pipeline, hasSweep }: Experiment): boolean {
  return hasSweep && pipeline.seed !== undefined && pipeline.label !== undefined;
}

/** The recipe with what the run makes in place: the sweep's training rows and the names that begin with "run:". */
export function withMade(experiment: Experiment, files: ExperimentFiles): Recipe {
  const { recipe, pipeline } = experiment;
  const at = (name: string) => path.resolve(made[name]!.file(files));
  const seedFiles = pipeline.seed?.files.map(({ file }) => file);
  const defaults = {
    train: labelsSeed(experiment) ? at('seed') : seedFiles,
    ...(pipeline.generate === undefined ? {} : { synthetic: at('dataset') }),
  };
  const placed = replaceTexts({ ...defaults, ...recipe.sections.sweep }, (text) =>
    text.startsWith(MADE) && made[text.slice(MADE.length)] !== undefined ? at(text.slice(MADE.length)) : text,
  );
  // a seed row that the teacher says nothing of still has the label it came with
  const unjudged = labelsSeed(experiment) ? { missingSoftLabel: 'hard' } : {};
  const distill = { ...unjudged, ...recipe.sections.distill };
  return { ...recipe, sections: { ...recipe.sections, distill, sweep: placed as Section } };
}

function replaceTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => replaceTexts(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaceTexts(one, change)]));
}

/** @throws ConfigError naming section and key */
export function sweepOf(experiment: Experiment, files = experimentFiles('run')): Sweep {
  const { recipe } = experiment;
  const { distill = {}, sweep } = withMade(experiment, files).sections;
  return readSweep({
    ...{ file: recipe.file, folder: experiment.pipeline.folder, exists: existsSync },
    ...{ distill, sweep },
  });
}

function namesOfSettings(experiment: Experiment): string[] {
  return sweepOf(experiment).settings.map(({ name }) => name);
}

/** The setting whose guard is exported: the one named, or the last. */
export function exportedSetting({ export: exporting }: Experiment, { settings }: Pick<Sweep, 'settings'>): string {
  return exporting?.setting ?? settings.at(-1)!.name;
}
