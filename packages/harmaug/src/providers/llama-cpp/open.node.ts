/** Opening a GGUF through node-llama-cpp, an optional package: its prebuilt binary only, nothing is compiled or fetched for it. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { ConfigError } from 'onnx-grad';
import { messageOf } from '../../errors.ts';
import type { ChatTemplate } from '../../templates/chat-template.ts';

export interface OpenGgufOptions {
  /** A file, or a hub id such as `hf:owner/repository/file.gguf`, fetched once into `modelFolder`. */
  readonly model: string;
  readonly modelFolder?: string | undefined;
  /** Whether a GPU may be used, where there is one and its binary is installed. Default true. */
  readonly gpu?: boolean | undefined;
  /** CPU threads. Default: the machine's cores. More than that, llama.cpp's own choice on small machines, is 30 times slower. */
  readonly threads?: number | undefined;
  readonly token?: string | undefined;
}

export interface OpenGguf {
  readonly llama: Llama;
  readonly model: LlamaModel;
}

/** @throws ConfigError where the package, its binary or the file is missing, or the file is no GGUF it can read */
export async function openGguf({ model, modelFolder, gpu = true, token, threads }: OpenGgufOptions): Promise<OpenGguf> {
  const library = await import('node-llama-cpp').catch((cause) => {
    throw new ConfigError('Running a GGUF needs node-llama-cpp. Install it: npm install node-llama-cpp', { cause });
  });
  const isHubId = /^(hf|huggingface):/.test(model);
  if (!isHubId && !existsSync(model))
    throw new ConfigError(`${model} does not exist. Expected a GGUF file, or hf:owner/repository/file.gguf.`);
  const llama = await library
    .getLlama({
      build: 'never',
      logLevel: library.LlamaLogLevel.error,
      maxThreads: threads ?? availableParallelism(),
      ...(gpu ? {} : { gpu: false }),
    })
    .catch((cause) => {
      throw new ConfigError(`node-llama-cpp has no binary for this machine: ${messageOf(cause)}.`, { cause });
    });
  try {
    const tokens = token === undefined ? {} : { tokens: { huggingFace: token } };
    const directory = modelFolder === undefined ? {} : { directory: modelFolder };
    const file = isHubId
      ? await library.resolveModelFile(model, { cli: false, ...directory, ...tokens })
      : path.resolve(model);
    return { llama, model: await llama.loadModel({ modelPath: file }) };
  } catch (cause) {
    await llama.dispose();
    throw new ConfigError(`${model} cannot be opened: ${messageOf(cause).split('\n')[0]}.`, { cause });
  }
}

/** The GGUF's own template; a source given has the last word. `null` where there is none. */
export function templateOf(model: LlamaModel, source?: string): ChatTemplate | null {
  const own = (model.fileInfo.metadata as { tokenizer?: { chat_template?: unknown } }).tokenizer?.chat_template;
  const found = source ?? (typeof own === 'string' ? own : undefined);
  if (found === undefined) return null;
  return {
    source: found,
    bosToken: model.tokens.bosString ?? '',
    eosToken: model.tokens.eosString ?? '',
    controls: controlsOf(model),
  };
}

/** Texts of the control tokens. */
export function controlsOf(model: LlamaModel): string[] {
  const texts: string[] = [];
  for (const token of model.iterateAllTokens()) {
    if (model.isSpecialToken(token)) texts.push(model.detokenize([token], true));
  }
  return texts.filter(Boolean);
}
