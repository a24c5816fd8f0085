/** What `harmaug cost` may be given, and what of it there is to count and to measure. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type HubOptions,
  type ModelShape,
  modelShape,
  openModelFolder,
  openTokenizer,
  parseJsonObject,
  readGgufConfig,
  readGgufHeader,
  type Tokenizer,
} from '@harmaug/models/node';
import { FormatError } from 'onnx-grad';
import { precisionNames, precisions } from '../export/precisions.ts';

/** One column of figures. */
export interface Subject {
  readonly name: string;
  /** float32 of a folder's own weights, or of an exported file; `null` where that is not ours to say. */
  readonly precision: string | null;
  readonly shape: ModelShape | null;
  /** Where the shape is not known but the tensors are. */
  readonly parameters: number | null;
  readonly diskBytes: number | null;
  /** What a scorer opens; `null`: there is nothing to run. */
  readonly scorer: string | null;
  readonly tokenizer: Tokenizer | null;
  /** Tokens it has positions for. */
  readonly maxLength: number;
}

const CONFIG = 'config.json';
const EXTERNAL = ['_data', '.data']; // weights beside an ONNX file

/** @throws FormatError for a name that is neither */
export async function findSubjects(name: string, hub: HubOptions): Promise<Subject[]> {
  if (name.endsWith('.gguf')) return [await ofGguf(name)];
  if (name.endsWith('.json')) return [await ofShape(name, path.basename(path.dirname(path.resolve(name))))];
  if (name.endsWith('.onnx')) return [await ofOnnx(name, folderOf(name), nameOf(name))];
  const isShapeAlone = existsSync(path.join(name, CONFIG)) && !hasWeights(name);
  const exported = precisionNames.map(
    (precision) => [precision, path.join(name, 'onnx', precisions[precision].file)] as const,
  );
  const files = exported.filter(([, file]) => existsSync(file));
  if (isShapeAlone && files.length === 0)
    return [await ofShape(path.join(name, CONFIG), path.basename(path.resolve(name)))];
  const found: Subject[] = [];
  if (!isShapeAlone) found.push(await ofFolder(name, hub));
  for (const [, file] of files) found.push(await ofOnnx(file, name, path.basename(path.resolve(name))));
  return found;
}

const WEIGHTS = ['model.safetensors', 'model.safetensors.index.json'];
/** A folder that is not there may be a hub id, which has weights. */
const hasWeights = (folder: string) =>
  !existsSync(path.join(folder, CONFIG)) || WEIGHTS.some((file) => existsSync(path.join(folder, file)));

async function readConfig(file: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(file).catch((cause) => {
    throw new FormatError(`${file} cannot be read (${(cause as { code?: string }).code}).`, { file, cause });
  });
  return parseJsonObject(new Uint8Array(bytes), file);
}

const empty = { parameters: null, diskBytes: null, scorer: null, tokenizer: null, maxLength: Number.POSITIVE_INFINITY };

async function ofShape(file: string, name: string): Promise<Subject> {
  return { ...empty, name, precision: null, shape: modelShape(await readConfig(file), undefined, file) };
}

async function ofFolder(name: string, hub: HubOptions): Promise<Subject> {
  const { folder, source } = await openModelFolder(name, hub);
  const file = path.join(folder, CONFIG);
  const json = await readConfig(file);
  const weights = await weightFiles(folder);
  const own = await readable(folder, json, file);
  return {
    ...own,
    name: source === null ? path.basename(path.resolve(folder)) : source.id,
    precision: 'fp32',
    diskBytes: await sizeOf(weights),
    scorer: own.shape.head === 'causal-lm' ? null : name, // a language model is run as a teacher
  };
}

async function ofOnnx(file: string, folder: string, name: string): Promise<Subject> {
  const precision = precisionNames.find((one) => precisions[one].file === path.basename(file)) ?? null;
  const json = await readConfig(path.join(folder, CONFIG));
  const beside = EXTERNAL.map((ending) => file + ending).filter((one) => existsSync(one));
  return {
    ...(await readable(folder, json, path.join(folder, CONFIG))),
    name,
    precision: precision === null ? path.basename(file) : `${precision} onnx`,
    diskBytes: await sizeOf([file, ...beside]),
    scorer: file,
  };
}

async function readable(folder: string, json: Record<string, unknown>, file: string) {
  const tokenizer = await openTokenizer(folder);
  const shape = modelShape(json, undefined, file);
  return { ...empty, shape, tokenizer, maxLength: Math.min(shape.maxLength ?? MOST_TOKENS, MOST_TOKENS) };
}

const MOST_TOKENS = 1024; // that a scorer reads

async function ofGguf(file: string): Promise<Subject> {
  const { tensors } = await readGgufHeader(file);
  const count = [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  // of architectures that we do not have, the tensors still tell the size
  const json = await readGgufConfig(file).catch((error) => {
    if (error instanceof FormatError) return null;
    throw error;
  });
  return {
    ...empty,
    name: path.basename(file, '.gguf'),
    precision: 'gguf',
    shape: json === null ? null : modelShape(json, 'causal-lm', file),
    parameters: count,
    diskBytes: await sizeOf([file]),
  };
}

async function weightFiles(folder: string): Promise<string[]> {
  const index = path.join(folder, WEIGHTS[1]!);
  if (!existsSync(index)) return [path.join(folder, WEIGHTS[0]!)];
  const { weight_map: map } = await readConfig(index);
  return [...new Set(Object.values((map ?? {}) as Record<string, string>))].map((file) =>
    path.join(folder, path.basename(file)),
  );
}

async function sizeOf(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

/** The folder of config.json: the file's own, or the one above. */
function folderOf(file: string): string {
  const beside = path.dirname(file);
  return existsSync(path.join(beside, CONFIG)) ? beside : path.dirname(path.resolve(beside));
}

const nameOf = (file: string) => path.basename(path.resolve(folderOf(file)));
