/** A recipe's sections that make data, checked as a whole before the first call. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { benchmarkIds } from '../evaluate/benchmarks.ts';
import type { ModelConfig } from '../providers/config.ts';
import { type Recipe, readRecipe } from '../recipe/recipe.node.ts';
import type { TeacherConfig } from '../teachers/config.ts';
import { parseConfig } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import type { Price } from './prices.ts';
import { type ModelRef, type SectionName, type Settings, sections } from './settings.ts';

type Parsed = { readonly [Name in SectionName]: Settings<Name> | undefined };

export interface Pipeline extends Parsed {
  readonly models: Settings<'models'>;
  readonly filters: Settings<'filters'>;
  readonly dataset: Settings<'dataset'>;
  readonly file: string;
  /** Where relative paths of the recipe begin. */
  readonly folder: string;
}

/** What flags set. */
export interface Overrides {
  /** Of what is drawn and sampled in every stage. */
  readonly seed?: number | undefined;
}

/** @throws FormatError or ConfigError naming the file, the key and what was expected */
export async function readPipeline(file: string, overrides: Overrides = {}): Promise<Pipeline> {
  return pipelineOf(await readRecipe(file), overrides);
}

/** @throws ConfigError naming the file, the key and what was expected */
export function pipelineOf(recipe: Recipe, overrides: Overrides = {}): Pipeline {
  const pipeline = parsePipeline(recipe, overrides);
  for (const problem of problemsOf(pipeline)) throw new ConfigError(`${pipeline.file}: ${problem}`);
  return pipeline;
}

/** Sections, each by itself: what they refer to is not looked at. @throws ConfigError */
export function parsePipeline(recipe: Recipe, { seed }: Overrides = {}): Pipeline {
  const { file } = recipe;
  const parse = <Name extends SectionName>(name: Name, otherwise?: object): Settings<Name> | undefined => {
    const value = recipe.sections[name] ?? otherwise;
    if (value === undefined) return undefined;
    const seeded = seed !== undefined && (name === 'generate' || name === 'respond') ? { ...value, seed } : value;
    return parseConfig(sections[name], seeded, `${file}: ${name}`) as Settings<Name>;
  };
  return {
    file,
    folder: path.dirname(file),
    models: parse('models', {})!,
    teachers: parse('teachers'),
    seed: parse('seed'),
    filters: parse('filters', {})!,
    generate: parse('generate'),
    benign: parse('benign'),
    respond: parse('respond'),
    label: parse('label'),
    prices: parse('prices'),
    dataset: parse('dataset', {})!,
  };
}

/** The section, which a stage cannot do without. @throws ConfigError */
export function need<Name extends SectionName>(pipeline: Pipeline, name: Name): Settings<Name> {
  const section = pipeline[name];
  if (section !== undefined) return section as Settings<Name>;
  throw new ConfigError(`${pipeline.file} has no section "${name}".`);
}

/** A model by its name, or in place. */
export interface NamedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly price: Price | null;
}

export function modelOf({ models, prices }: Pipeline, ref: ModelRef): NamedModel {
  const config = typeof ref === 'string' ? models[ref]! : ref;
  const name = typeof ref === 'string' ? ref : nameOf(ref);
  return { name, config, price: prices?.models[name] ?? null };
}

const nameOf = (config: ModelConfig) =>
  config.provider === 'scripted' ? 'scripted' : path.basename('file' in config ? config.file : config.model);

export function teacherOf({ teachers = {} }: Pipeline, { teacher }: Settings<'label'>): TeacherConfig {
  return typeof teacher === 'string' ? teachers[teacher]! : teacher;
}

/** Names and files that sections point to and that are not there. */
export function* problemsOf(pipeline: Pipeline): Generator<string> {
  const { models, teachers = {}, seed, filters, generate, benign, respond, label, prices } = pipeline;
  const known = (where: string, what: string, ref: unknown, names: readonly string[]) =>
    typeof ref !== 'string' || names.includes(ref) ? [] : [`${where}: ${unknownName(what, ref, names)}`];
  const names = Object.keys(models);
  yield* known('generate.model', 'model', generate?.model, names);
  yield* known('benign.model', 'model', benign?.model, names);
  yield* known('respond.refusal.model', 'model', respond?.refusal?.model, names);
  yield* known('respond.compliant.model', 'model', respond?.compliant?.model, names);
  yield* known('label.teacher', 'teacher', label?.teacher, Object.keys(teachers));
  for (const name of Object.keys(prices?.models ?? {})) yield* known('prices.models', 'model', name, names);
  if (benign && !generate) yield '"benign" is made by "generate", and that section is missing.';

  const there = (where: string, name: string | undefined) =>
    name === undefined || existsSync(path.resolve(pipeline.folder, name)) ? [] : [`${where}: ${name} does not exist.`];
  for (const { file: name } of seed?.files ?? []) yield* there('seed.files', name);
  for (const { file: name } of filters.benchmarks) {
    if (!(benchmarkIds as readonly string[]).includes(name)) yield* there('filters.benchmarks', name);
  }
  yield* there('filters.embeddings.encoder', filters.embeddings?.encoder);
  for (const [name, config] of Object.entries(models)) {
    if (config.provider === 'replay') yield* there(`models.${name}.file`, config.file);
    if (config.provider === 'llama.cpp' && !isHubModel(config.model))
      yield* there(`models.${name}.model`, config.model);
    if ('template' in config) yield* there(`models.${name}.template`, config.template);
    if ('tokenizer' in config) yield* there(`models.${name}.tokenizer`, config.tokenizer);
  }
  for (const [name, config] of Object.entries(teachers)) {
    for (const part of config.family === 'average' ? config.of : [config]) {
      if (part.family === 'classifier') yield* there(`teachers.${name}.folder`, part.folder);
      if ('policyFile' in part) yield* there(`teachers.${name}.policyFile`, part.policyFile);
      if (part.family !== 'classifier' && part.family !== 'openai-moderation')
        yield* known(`teachers.${name}.model`, 'model', part.model, names);
    }
  }
}

/** `hf:owner/repository/file.gguf` */
export const isHubModel = (model: string): boolean => /^(hf|huggingface):/.test(model);
