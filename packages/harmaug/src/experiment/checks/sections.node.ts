/** Sections: every key known, every value in its range, every name and file that they point to there. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseHubId } from '@harmaug/models/node';
import { adaptDefaults, checkAdaptSettings } from '../../adapt/settings.ts';
import { checkSettings, distillDefaults } from '../../distill/settings.ts';
import { messageOf } from '../../errors.ts';
import { benchmarkIds } from '../../evaluate/benchmarks.ts';
import { type Recipe, sectionOf } from '../../recipe/recipe.node.ts';
import { type Pipeline, parsePipeline, problemsOf } from '../../stages/pipeline.node.ts';
import { type SectionName, sections } from '../../stages/settings.ts';
import type { Setting } from '../../sweep/settings.ts';
import { unknownName } from '../../text/suggest.ts';
import { type Experiment, misfitsOf, parseExperiment, sweepOf } from '../recipe.node.ts';
import { experimentSections } from '../settings.ts';
import { type Finding, findingsOf, wrong } from './finding.ts';

export interface Sections {
  readonly findings: readonly Finding[];
  /** `null` where a section does not hold: what it points to is not looked at then. */
  readonly pipeline: Pipeline | null;
}

const pipelineNames = Object.keys(sections) as SectionName[];
const experimentNames = Object.keys(experimentSections) as (keyof typeof experimentSections)[];

export function checkSections(recipe: Recipe): Sections {
  const own = pipelineNames.flatMap((name) => attempt(recipe, name, () => parsePipeline(only(recipe, [name]))));
  const others = [
    ...experimentNames.flatMap((name) => {
      return attempt(recipe, name, () => parseExperiment(only(recipe, [name]), parsePipeline(only(recipe, []))));
    }),
    ...checkTraining(recipe),
  ];
  if (own.length > 0) return { findings: [...own, ...others], pipeline: null };
  const pipeline = parsePipeline(recipe);
  const pointed = [...problemsOf(pipeline)].flatMap((problem) =>
    findingsOf(problem, recipe.file, 'recipe').map((one) => ({ ...one, remedy: remedyFor(one) })),
  );
  const found = [...others, ...pointed];
  if (others.length === 0) found.push(...checkTogether(recipe, pipeline));
  return { findings: found, pipeline };
}

/** The recipe with these sections alone. */
function only({ file, sections: all }: Recipe, names: readonly string[]): Recipe {
  return { file, sections: Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))) };
}

function attempt({ file }: Recipe, where: string, check: () => unknown): Finding[] {
  try {
    check();
    return [];
  } catch (error) {
    return findingsOf(messageOf(error), file, where);
  }
}

const remedies: readonly (readonly [place: RegExp, remedy: string])[] = [
  [/^seed\.files/, 'Put labelled rows of your own there (JSONL, CSV or Parquet with prompt and label).'],
  [/^models\..*\.model$/, 'Put the file there, or name one on the hub: hf:owner/repository/file.gguf.'],
  [/^models\..*\.file$/, 'It is what "record" of a model wrote.'],
  [/^filters\.benchmarks/, `Give a file, or one of ${benchmarkIds.join(', ')}.`],
  [/^(filters\.embeddings|measure)\.encoder/, 'Give a Hugging Face folder of an encoder.'],
];

const remedyFor = ({ where, problem, remedy }: Finding): string =>
  /does not exist/.test(problem) ? (remedies.find(([place]) => place.test(where))?.[1] ?? remedy) : remedy;

/** distill and adapt, as their own commands read them. */
function checkTraining(recipe: Recipe): Finding[] {
  const known = { distill: [...Object.keys(distillDefaults), 'seeds', 'transforms'] };
  const adapt = [...Object.keys(adaptDefaults), 'transforms', 'seed'];
  return [
    ...attempt(recipe, 'distill', () => {
      const { seeds: _, transforms: __, ...settings } = sectionOf(recipe, 'distill', known.distill);
      checkSettings(settings);
    }),
    ...attempt(recipe, 'adapt', () => {
      const { seed: _, transforms: __, ...settings } = sectionOf(recipe, 'adapt', adapt);
      checkAdaptSettings(settings);
    }),
  ];
}

/** Whether sections fit together, for those that a whole run reads. */
function checkTogether(recipe: Recipe, pipeline: Pipeline): Finding[] {
  const experiment = parseExperiment(recipe, pipeline);
  const makesNothing = pipeline.generate === undefined && !experiment.hasSweep; // a recipe of other commands
  const misfits = makesNothing
    ? []
    : attemptAll(
        () => [...misfitsOf(experiment)].flatMap((problem) => findingsOf(problem, recipe.file, 'recipe')),
        recipe,
      );
  return experiment.hasSweep ? [...misfits, ...checkSweep(experiment)] : misfits;
}

function attemptAll(check: () => Finding[], { file }: Recipe): Finding[] {
  try {
    return check();
  } catch (error) {
    return findingsOf(messageOf(error), file, 'sweep');
  }
}

function checkSweep(experiment: Experiment): Finding[] {
  return attemptAll(() => {
    const { settings, evaluate } = sweepOf(experiment);
    const sets = evaluate
      .filter((name) => !existsSync(name) && !(benchmarkIds as readonly string[]).includes(name))
      .map((name) => {
        const isFile = /[/\\]|\.(jsonl?|csv|parquet)(\.gz)?$/.test(name);
        const problem = isFile ? `${name} does not exist.` : unknownName('benchmark', name, benchmarkIds);
        return wrong('sweep.evaluate', problem, isFile ? 'Put labelled rows there, or name a benchmark.' : '');
      });
    return [...sets, ...settings.flatMap((setting) => checkSetting(setting, experiment))];
  }, experiment.recipe);
}

/** Students and rows that are not there; what the run makes itself need not be. */
function checkSetting({ subject }: Setting, { pipeline }: Experiment): Finding[] {
  const { student, train, synthetic } = subject;
  const isFolder = existsSync(student);
  const students =
    isFolder || parseHubId(student) !== null || /^[\w.-]+$/.test(student)
      ? []
      : [wrong('sweep.student', `${student} does not exist.`, 'Give a Hugging Face folder or a hub id.')];
  const made = path.resolve('run');
  const files = [...train, ...synthetic]
    .filter((file) => !file.startsWith(made + path.sep) && !existsSync(file))
    .map((file) =>
      wrong(
        'sweep',
        `${path.relative(pipeline.folder, file)} does not exist.`,
        'Make it first (harmaug score, harmaug export-data), or leave train and synthetic out: harmaug run makes them.',
      ),
    );
  return [...students, ...files];
}
