/** The students that cells start from: opened once, told apart by their contents, cut to fewer layers where asked. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { buildModel } from '@harmaug/models';
import { type HubOptions, loadWeights, openModelFolder, saveModel } from '@harmaug/models/node';
import { ConfigError } from 'onnx-grad';
import type { Subject } from './axes.ts';

export interface Student {
  readonly folder: string;
  /** Hub id with its commit, or "sha256:…" of the folder's files. */
  readonly identity: string;
}

/** Config, weights and tokenizer: what an answer depends on. */
const MODEL_FILES = /\.(safetensors|json|txt|model)$/;

/** Keys of config.json that count layers, by the models that have them. */
const LAYER_KEYS = ['num_hidden_layers', 'n_layers'] as const;

/**
 * @param cache folder for the students that are cut
 * @throws FormatError where there is no such model; ConfigError for more layers than it has
 */
export async function openStudent(
  { student, layers }: Pick<Subject, 'student' | 'layers'>,
  cache: string,
  hub: HubOptions,
): Promise<Student> {
  const { folder, source } = await openModelFolder(student, hub);
  const identity = source === null ? await hashFolder(folder) : `${source.id}@${source.commit}`;
  if (layers === null) return { folder, identity };
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const cut = path.join(cache, `${path.basename(folder)}-${name}-layers-${layers}`);
  if (!existsSync(cut)) await cutLayers(folder, layers, cut);
  return { folder: cut, identity: `${identity} layers ${layers}` };
}

/** The first `layers` layers, with embeddings and tokenizer, as a folder of its own. */
async function cutLayers(folder: string, layers: number, out: string): Promise<void> {
  const { json, weights, tokenizerFiles } = await loadWeights(folder, { head: 'none' });
  const key = LAYER_KEYS.find((name) => typeof json[name] === 'number');
  const most = key === undefined ? 0 : (json[key] as number);
  if (key === undefined || layers > most) {
    throw new ConfigError(`layers: expected at most the ${most} of ${path.basename(folder)}, got ${layers}.`);
  }
  const types = Array.isArray(json.layer_types) ? { layer_types: json.layer_types.slice(0, layers) } : {};
  const fewer = { ...json, [key]: layers, ...types };
  const model = buildModel(fewer, { head: 'none' });
  const part = `${out}.part`;
  await rm(part, { recursive: true, force: true });
  await saveModel(part, { json: fewer, model, head: 'none', weights, tokenizerFiles });
  await rename(part, out);
}

async function hashFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).filter((file) => MODEL_FILES.test(file)).sort()) {
    hash.update(`${name}\n`);
    for await (const chunk of createReadStream(path.join(folder, name))) hash.update(chunk as Uint8Array);
  }
  return `sha256:${hash.digest('hex')}`;
}
