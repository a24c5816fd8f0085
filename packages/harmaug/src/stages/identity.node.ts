/**
 * What of a model or teacher can change an answer, for keys: its name, its weights, a template of one's own. Where it
 * runs, how many calls at once, keys and timeouts cannot. The same model behind another server is the same model.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import type { ModelConfig } from '../providers/config.ts';
import type { TeacherConfig } from '../teachers/config.ts';

export type Identity = Readonly<Record<string, unknown>>;
export type SingleTeacher = Exclude<TeacherConfig, { family: 'average' }>;

const hashOfText = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

/** `null` where it is not there: that is told elsewhere. */
const hashOfFile = (file: string) => (existsSync(file) ? hashOfText(readFileSync(file)) : null);

/** @param at resolves a path of the recipe */
export function modelIdentity(config: ModelConfig, at: (file: string) => string): Identity {
  switch (config.provider) {
    case 'scripted':
      return { scripted: [config.text, Object.entries(config.probabilities)] };
    case 'replay':
      return { replay: hashOfFile(at(config.file)) };
    default: {
      const own = config.template === undefined ? {} : { template: hashOfText(readFileSync(at(config.template))) };
      const name = config.provider === 'llama.cpp' ? path.basename(config.model) : config.model;
      return { model: name, ...own };
    }
  }
}

/** A classifier is its weights, whatever its folder is called. */
export async function teacherIdentity(
  config: SingleTeacher,
  models: Readonly<Record<string, ModelConfig>>,
  at: (file: string) => string,
): Promise<Identity> {
  if (config.family === 'openai-moderation') return { family: config.family, model: config.model };
  if (config.family === 'classifier') {
    const { family, folder, maxLength = null } = config;
    return { family, weights: await hashOfWeights(at(folder)), maxLength };
  }
  const model = typeof config.model === 'string' ? models[config.model]! : config.model;
  const policy = config.policyFile === undefined ? config.policy : readFileSync(at(config.policyFile), 'utf8');
  return {
    family: config.family,
    ...modelIdentity(model, at),
    policy: policy === undefined ? null : hashOfText(policy),
  };
}

/** Of a Hugging Face folder or an ONNX file. */
export async function hashOfWeights(folder: string): Promise<string> {
  const file = statSync(folder).isDirectory() ? path.join(folder, 'model.safetensors') : folder;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read (${(cause as { code?: string }).code}).`, { cause });
  }
  return hash.digest('hex');
}
