/** Prompts and templates: everything that a model will be asked can be put together. No model is asked, none is opened. */
import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { readGgufHeader } from '@harmaug/models/node';
import { messageOf } from '../../errors.ts';
import { completePrompt, type LocalTemplate } from '../../providers/complete-prompt.ts';
import type { ModelConfig } from '../../providers/config.ts';
import { createProvider, readTemplate } from '../../providers/create.node.ts';
import type { Input, Provider } from '../../providers/provider.ts';
import { scriptedProvider } from '../../providers/scripted.ts';
import { candidateOf } from '../../stages/candidates.node.ts';
import { readSeedRows } from '../../stages/filters.node.ts';
import { isHubModel, modelOf, type Pipeline } from '../../stages/pipeline.node.ts';
import { planGenerate } from '../../stages/plan-generate.node.ts';
import { conversation } from '../../stages/prompts.ts';
import type { ModelRef } from '../../stages/settings.ts';
import type { TeacherConfig } from '../../teachers/config.ts';
import { families } from '../../teachers/families/index.ts';
import { createLlmTeacher } from '../../teachers/llm-teacher.ts';
import type { ChatTemplate } from '../../templates/chat-template.ts';
import { createRenderer } from '../../templates/render.ts';
import { type Finding, findingsOf, wrong } from './finding.ts';

const SENTENCE = { id: 'doctor', prompt: 'How do I bake bread?', response: 'With flour, water, salt and yeast.' };

type Env = Readonly<Record<string, string | undefined>>;

/** What one model will be asked, by the section that asks. */
interface Asked {
  readonly where: string;
  readonly model: ModelConfig;
  readonly inputs: readonly Input[];
}

export async function checkAsking(pipeline: Pipeline, env: Env): Promise<Finding[]> {
  const findings = [...checkPlaceholders(pipeline), ...(await checkExemplars(pipeline))];
  const asked = [...writersOf(pipeline), ...teachersOf(pipeline)];
  for (const [name, model] of Object.entries(pipeline.models)) {
    findings.push(...(await checkProvider(name, model, pipeline, env)));
  }
  for (const one of asked) findings.push(...(await checkTemplate(one, pipeline)));
  findings.push(...checkFamilies(pipeline));
  if (asked.some(({ model }) => model.provider === 'llama.cpp')) findings.push(...checkLlamaCpp());
  return findings;
}

const PLACES = ['category', 'description'];

function checkPlaceholders({ generate, benign }: Pipeline): Finding[] {
  return Object.entries({ generate, benign }).flatMap(([section, own]) =>
    (own?.prompts ?? []).flatMap((prompt, index) =>
      [...prompt.matchAll(/\{(\w+)\}/g)]
        .filter(([, name]) => !PLACES.includes(name!))
        .map(([text]) =>
          wrong(`${section}.prompts[${index}]`, `Nothing fills in ${text}.`, 'Write {category} or {description}.'),
        ),
    ),
  );
}

/** The first candidates of every cell, with examples from the labelled rows. */
async function checkExemplars(pipeline: Pipeline): Promise<Finding[]> {
  if (pipeline.generate === undefined) return [];
  const { seed, folder, file } = pipeline;
  if (seed?.files.some((one) => !existsSync(path.resolve(folder, one.file)))) return []; // told already
  try {
    const { cells, writers } = planGenerate(pipeline, await readSeedRows(pipeline));
    for (const cell of cells) candidateOf(cell, writers[cell.kind]!, 0);
    return [];
  } catch (error) {
    return findingsOf(messageOf(error), file, 'generate');
  }
}

/** Conversations of the shapes that writers and responders get. */
function writersOf(pipeline: Pipeline): Asked[] {
  const { generate, benign, respond } = pipeline;
  const of = (where: string, ref: ModelRef | undefined, system: string | undefined): Asked[] =>
    ref === undefined
      ? []
      : [
          {
            where,
            model: modelOf(pipeline, ref).config,
            inputs: [{ kind: 'chat', messages: conversation(system, SENTENCE.prompt) }],
          },
        ];
  return [
    ...of('generate', generate?.model, generate?.system),
    ...of('benign', benign && (benign.model ?? generate?.model), benign?.system),
    ...of('respond.refusal', respond?.refusal?.model, respond?.refusal?.system),
    ...of('respond.compliant', respond?.compliant?.model, respond?.compliant?.system),
  ].filter(({ model }) => model !== undefined);
}

type LlmTeacher = Extract<TeacherConfig, { readonly family: keyof typeof families }>;

function llmTeachers({ teachers = {} }: Pipeline): { readonly name: string; readonly config: LlmTeacher }[] {
  return Object.entries(teachers).flatMap(([name, config]) =>
    (config.family === 'average' ? config.of : [config]).flatMap((part) =>
      part.family in families ? [{ name, config: part as LlmTeacher }] : [],
    ),
  );
}

/** A prompt and a pair, as each teacher puts them. */
function teachersOf(pipeline: Pipeline): Asked[] {
  return llmTeachers(pipeline).flatMap(({ name, config }) => {
    const model = typeof config.model === 'string' ? pipeline.models[config.model] : config.model;
    if (model === undefined) return [];
    const { prompt, id, response } = SENTENCE;
    const judged =
      families[config.family].judges === 'responses'
        ? [SENTENCE]
        : [
            { id, prompt },
            { id, prompt, response },
          ];
    const policy = policyOf(config, pipeline);
    const inputs = judged.flatMap((one) => families[config.family].ask(one, policy).map(({ input }) => input));
    return [{ where: `teachers.${name}`, model, inputs }];
  });
}

/** The user's own, as far as it can be read: a file that is missing is told elsewhere. */
function policyOf({ policy, policyFile }: LlmTeacher, { folder }: Pipeline): string | undefined {
  const file = policyFile === undefined ? undefined : path.resolve(folder, policyFile);
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : policy;
}

/** Whether family, policy and model fit together. */
function checkFamilies(pipeline: Pipeline): Finding[] {
  return llmTeachers(pipeline).flatMap(({ name, config }) => {
    const where = `teachers.${name}`;
    if (config.policy !== undefined && config.policyFile !== undefined)
      return [wrong(where, 'It has "policy" and "policyFile".', 'Give one of them.')];
    const model = typeof config.model === 'string' ? pipeline.models[config.model] : config.model;
    if (model === undefined) return [];
    const isRenderedHere = model.provider !== 'openai' || model.api === 'completions';
    const stand = scriptedProvider({ name, rendersHere: isRenderedHere });
    return attempt(where, () =>
      createLlmTeacher(config.family, stand, { name, policy: config.policy ?? config.policyFile }),
    );
  });
}

function attempt(where: string, check: () => unknown): Finding[] {
  try {
    check();
    return [];
  } catch (error) {
    return [wrong(where, messageOf(error))];
  }
}

/** A server's client can be made without asking it; a key that is missing is about this machine. */
async function checkProvider(name: string, config: ModelConfig, { folder }: Pipeline, env: Env): Promise<Finding[]> {
  if (config.provider !== 'openai') return [];
  const where = `models.${name}`;
  let provider: Provider | null = null;
  try {
    const { record: _, ...own } = config;
    provider = await createProvider(own, { name, folder, env });
    return [];
  } catch (error) {
    const problem = messageOf(error);
    return [{ ...wrong(where, problem), isWrong: !/^No API key/.test(problem) }];
  } finally {
    await provider?.dispose();
  }
}

async function checkTemplate({ where, model, inputs }: Asked, { folder }: Pipeline): Promise<Finding[]> {
  try {
    const template = await templateOf(model, folder);
    if (template === null) return []; // the server's own, or one that is not here yet
    const local: LocalTemplate = { template, render: createRenderer(template) };
    for (const input of inputs) completePrompt(input, '', local);
    return [];
  } catch (error) {
    return [wrong(where, messageOf(error))];
  }
}

/** The template as far as it is on this machine. */
async function templateOf(model: ModelConfig, folder: string): Promise<ChatTemplate | null> {
  const at = (file: string | undefined) => (file === undefined ? undefined : path.resolve(folder, file));
  if (model.provider === 'openai') return readTemplate(at(model.tokenizer), at(model.template)) ?? null;
  if (model.provider !== 'llama.cpp') return null;
  if (model.template !== undefined) return readTemplate(undefined, at(model.template)) ?? null;
  const file = path.resolve(folder, model.model);
  if (isHubModel(model.model) || !existsSync(file)) return null;
  const source = (await readGgufHeader(file)).metadata.get('tokenizer.chat_template');
  return typeof source === 'string' ? { source, bosToken: '', eosToken: '', controls: [] } : null;
}

function checkLlamaCpp(): Finding[] {
  const isThere = attempt('models', () => findPackageJSON('node-llama-cpp', import.meta.url)).length === 0;
  const problem = 'The package node-llama-cpp is not installed.';
  return isThere ? [] : [{ ...wrong('models', problem, 'npm install node-llama-cpp'), isWrong: false }];
}
