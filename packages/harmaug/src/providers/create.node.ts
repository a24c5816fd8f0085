/** From a model's config to a provider. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError, FormatError } from 'onnx-grad';
import { type ChatTemplate, readChatTemplate } from '../templates/chat-template.ts';
import { isObject, parseJson } from '../text/json.ts';
import type { ModelConfig } from './config.ts';
import { openLlamaCppProvider } from './llama-cpp/provider.node.ts';
import { type Dialect, dialects } from './openai/dialects.ts';
import { createOpenAiProvider } from './openai/provider.ts';
import { createTransport } from './openai/transport.node.ts';
import type { Provider } from './provider.ts';
import { recordProvider, replayProvider } from './recorder.node.ts';
import { scriptedProvider } from './scripted.ts';

export interface CreateOptions {
  /** What the model is called in messages. */
  readonly name: string;
  /** Where relative paths begin. Default: the working folder. */
  readonly folder?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws ConfigError or FormatError for a missing key, file or template */
export async function createProvider(config: ModelConfig, options: CreateOptions): Promise<Provider> {
  const at = (file: string) => path.resolve(options.folder ?? '.', file);
  const provider = await makers[config.provider](config as never, options, at);
  return 'record' in config && config.record !== undefined ? recordProvider(provider, at(config.record)) : provider;
}

type Of<Kind extends ModelConfig['provider']> = Extract<ModelConfig, { provider: Kind }>;
type Maker<Kind extends ModelConfig['provider']> = (
  config: Of<Kind>,
  options: CreateOptions,
  at: (file: string) => string,
) => Provider | Promise<Provider>;

const makers: { readonly [Kind in ModelConfig['provider']]: Maker<Kind> } = {
  openai: (config, { name, env }, at) => {
    const dialect: Dialect = dialects[config.dialect];
    const { tokenizer, template, timeoutSeconds, patienceSeconds, concurrency, model, api } = config;
    const endpoints = config.endpoints ?? (dialect.hosted ? [dialect.hosted.endpoint] : undefined);
    if (endpoints === undefined) {
      throw new ConfigError(
        `Model "${name}": "endpoints" is missing, expected addresses such as http://localhost:8000/v1.`,
      );
    }
    const keyName = config.apiKeyEnv ?? dialect.hosted?.keyName;
    return createOpenAiProvider({
      name,
      dialect,
      model,
      api,
      endpoints: endpoints.map((url) => url.replace(/\/$/, '')),
      concurrency,
      transport: createTransport({ connections: concurrency }),
      timeoutMs: timeoutSeconds * 1000,
      patienceMs: patienceSeconds * 1000,
      keyName,
      apiKey: keyName === undefined ? undefined : readKey(keyName, name, env),
      template: readTemplate(tokenizer && at(tokenizer), template && at(template)),
    });
  },
  'llama.cpp': ({ model, template, modelFolder, ...config }, { name, env }, at) =>
    openLlamaCppProvider({
      ...config,
      name,
      model: /^(hf|huggingface):/.test(model) ? model : at(model),
      modelFolder: modelFolder && at(modelFolder),
      template: template && readText(at(template)),
      token: env.HF_TOKEN,
    }),
  replay: ({ file }, { name }, at) => replayProvider(at(file), { name }),
  scripted: ({ text, probabilities }, { name }) => scriptedProvider({ name, text, probabilities }),
};

function readKey(keyName: string, name: string, env: CreateOptions['env']): string {
  const key = env[keyName];
  if (key) return key;
  throw new ConfigError(`No API key for model "${name}". Set ${keyName}, or name another variable as "apiKeyEnv".`);
}

/** A template from a tokenizer's folder, a Jinja file, or both: the file's text, the folder's tokens. */
export function readTemplate(folder: string | undefined, jinjaFile: string | undefined): ChatTemplate | undefined {
  if (folder === undefined && jinjaFile === undefined) return undefined;
  const beside = folder === undefined ? undefined : path.join(folder, 'chat_template.jinja');
  const jinja = jinjaFile ?? (beside !== undefined && existsSync(beside) ? beside : undefined);
  const file = path.join(folder ?? '', 'tokenizer_config.json');
  const config = folder === undefined ? {} : parseJson(readText(file));
  if (!isObject(config)) throw new FormatError(`${file} is not a JSON object.`, { file });
  return readChatTemplate(config, { file, jinja: jinja === undefined ? undefined : readText(jinja) });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FormatError(`${file} cannot be read (${(cause as { code?: string }).code}).`, { file, cause });
  }
}
