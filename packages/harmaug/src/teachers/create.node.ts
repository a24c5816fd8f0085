/** From a teacher's config to a teacher. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type HubOptions, parseHubId } from '@harmaug/models/node';
import { ConfigError } from 'onnx-grad';
import type { ModelConfig } from '../providers/config.ts';
import { type CreateOptions, createProvider } from '../providers/create.node.ts';
import { Client } from '../providers/openai/client.ts';
import { createTransport } from '../providers/openai/transport.node.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import { unknownName } from '../text/suggest.ts';
import { averageTeachers } from './average.ts';
import { createClassifierTeacher } from './classifier.node.ts';
import type { TeacherConfig } from './config.ts';
import { createLlmTeacher } from './llm-teacher.ts';
import { createModerationTeacher } from './openai-moderation.ts';
import type { Teacher } from './teacher.ts';

export interface OpenTeacherOptions extends CreateOptions {
  /** Section `models` of the recipe. */
  readonly models?: Readonly<Record<string, ModelConfig>>;
  /** How a classifier is fetched from the hub. */
  readonly hub?: HubOptions;
}

/** @throws ConfigError or FormatError for what is missing or does not fit together */
export async function openTeacher(config: TeacherConfig, options: OpenTeacherOptions): Promise<Teacher> {
  const { env, name, folder = '.' } = options;
  const at = (file: string) => path.resolve(folder, file);
  if (config.family === 'average') {
    const teachers: Teacher[] = [];
    for (const part of config.of) teachers.push(await openTeacher(part, options));
    return averageTeachers(teachers, { name, minimum: config.minimum });
  }
  if (config.family === 'classifier') {
    const { maxLength, threads } = config;
    const limits = { ...(maxLength === undefined ? {} : { maxLength }), ...(threads === undefined ? {} : { threads }) };
    const isHubId = !existsSync(at(config.folder)) && parseHubId(config.folder) !== null;
    const guard = isHubId ? `hf:${config.folder.replace(/^hf:/, '')}` : at(config.folder); // never a folder elsewhere
    return createClassifierTeacher(await openScorer(guard, { ...limits, hub: { env, ...options.hub } }));
  }
  if (config.family === 'openai-moderation') {
    const { model, endpoint, apiKeyEnv, concurrency } = config;
    const apiKey = env[apiKeyEnv];
    if (!apiKey)
      throw new ConfigError(
        `No API key for teacher "${name}". Set ${apiKeyEnv}, or name another variable as "apiKeyEnv".`,
      );
    const transport = createTransport({ connections: concurrency });
    const client = new Client({ endpoints: [endpoint], model, transport, concurrency, apiKey, keyName: apiKeyEnv });
    return createModerationTeacher(client, model, { name, concurrency });
  }
  const model = typeof config.model === 'string' ? findModel(config.model, options) : config.model;
  if (config.policy !== undefined && config.policyFile !== undefined) {
    throw new ConfigError(`Teacher "${name}": give "policy" or "policyFile", not both.`);
  }
  const policy = config.policyFile === undefined ? config.policy : readFileSync(at(config.policyFile), 'utf8');
  const provider = await createProvider(model, options);
  const concurrency = concurrencyOf(model);
  try {
    return createLlmTeacher(config.family, provider, { name, policy, concurrency });
  } catch (error) {
    await provider.dispose();
    throw error;
  }
}

function findModel(name: string, { models = {} }: OpenTeacherOptions): ModelConfig {
  const model = models[name];
  if (model) return model;
  throw new ConfigError(
    `${unknownName('model', name, Object.keys(models))} A teacher's model stands in section "models".`,
  );
}

/** Calls that keep a model busy. */
function concurrencyOf(model: ModelConfig): number {
  if (model.provider === 'openai') return model.concurrency * (model.endpoints?.length ?? 1);
  return model.provider === 'llama.cpp' ? model.sequences * 2 : 32;
}
