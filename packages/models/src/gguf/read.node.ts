import { type FileHandle, open } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import { matchWeights } from '../checkpoint/match.ts';
import { type JsonObject, quote } from '../files/json.ts';
import { readExactly } from '../files/limited.node.ts';
import { loadTokenizer, type TokenizerOptions } from '../tokenizers/load.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { recoverConfig } from './architectures.ts';
import { readMetadata } from './metadata.ts';
import { parseGgufHeader } from './parse.ts';
import { separate } from './rotary-order.ts';
import { decodeTensor } from './tensor-codecs.ts';
import { filesOfVocabulary } from './to-files.ts';
import type { GgufHeader } from './types.ts';
import { readVocabulary } from './vocabulary.ts';
import { ROPE_FACTORS, WORDS, weightsOf } from './weights.ts';

/** GGUF files: positioned reads, into buffers of what the header says and the file has. */

const FIRST_READ_BYTES = 2 ** 20;
const MAX_HEADER_BYTES = 256 * 2 ** 20; // ours: of a vocabulary of 260,000 tokens it takes 15 MB

/**
 * A file's metadata, and where its tensors lie.
 * @throws FormatError when the file is not exactly what the format says
 */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  return withFile(path, readHeader);
}

export interface GgufTensorValues {
  /** Row-major. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Tensors by their names in the file, as float32.
 * @param names default: all
 * @throws FormatError for a damaged file, or a name that is not in it; ConfigError for types that we do not read
 */
export async function readGgufTensors(path: string, names?: Iterable<string>): Promise<Map<string, GgufTensorValues>> {
  return withFile(path, async (file) => {
    const { tensors } = await readHeader(file);
    const found = new Map<string, GgufTensorValues>();
    for (const name of names ?? tensors.keys()) {
      found.set(name, { shape: tensors.get(name)?.shape ?? [], values: await readValues(file, tensors, name) });
    }
    return found;
  });
}

/** A causal language model in the terms of a Hugging Face folder. */
export interface GgufModel {
  readonly header: GgufHeader;
  /** config.json. */
  readonly json: JsonObject;
  /** By Hugging Face's names: "model.layers.0.self_attn.q_proj.weight". */
  readonly weights: Map<string, Float32Array>;
  /** With llama.cpp's ids. */
  readonly tokenizer: Tokenizer;
  /** Jinja, of chats. */
  readonly chatTemplate: string | undefined;
  /** The same as the files of a folder: file name -> bytes. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a Llama or Qwen2 whole.
 * @example
 * const { json, weights, tokenizer } = await readGguf('student.gguf');
 * @throws FormatError for a damaged file, another architecture, weights that do not fit; ConfigError for tensor types that
 *   we do not read
 */
export async function readGguf(path: string, options: TokenizerOptions = {}): Promise<GgufModel> {
  return withFile(path, async (file) => {
    const header = await readHeader(file);
    const { tensors } = header;
    const { vocabulary, architecture, config, json } = await describe(file, header);
    const names = weightsOf(config, architecture);
    matchWeights({
      expected: new Map(names.map(({ gguf, shape }) => [gguf, shape])),
      found: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
      file: path,
      ignore: [/^rope_freqs\.weight$/],
    });
    const weights = new Map<string, Float32Array>();
    for (const { hf, gguf, turnedHeads } of names) {
      const values = await readValues(file, tensors, gguf);
      const heads = { heads: turnedHeads ?? 0, headSize: config.headSize };
      weights.set(hf, turnedHeads === null ? values : separate(values, heads));
    }
    const tokenizerFiles = filesOfVocabulary(vocabulary);
    const tokenizer = loadTokenizer(tokenizerFiles, options);
    return { header, json, weights, tokenizer, tokenizerFiles, chatTemplate: vocabulary.chatTemplate };
  });
}

/**
 * config.json of a Llama or Qwen2 alone: no weights are read.
 * @throws FormatError for a damaged file, or another architecture
 */
export async function readGgufConfig(path: string): Promise<JsonObject> {
  return withFile(path, async (file) => (await describe(file, await readHeader(file))).json);
}

async function describe(file: OpenFile, header: GgufHeader) {
  const { path } = file;
  const { tensors } = header;
  const metadata = readMetadata(header.metadata, path);
  if (metadata.integer('split.count', { min: 0, max: 65_535 }, 1) > 1) {
    metadata.fail('split.count', '1: a model in several files is not read. Join them with llama-gguf-split --merge');
  }
  const vocabulary = readVocabulary(metadata);
  const rows = tensors.get(WORDS)?.shape[0];
  if (rows !== vocabulary.tokens.length) {
    const problem = `${WORDS} has ${rows ?? 'no'} rows for ${vocabulary.tokens.length} tokens`;
    throw new FormatError(`${path}: ${problem}. Expected a row a token.`, { file: path, field: WORDS });
  }
  const { roles } = vocabulary;
  const evidence = {
    tensorNames: new Set(tensors.keys()),
    ropeFactors: tensors.has(ROPE_FACTORS) ? await readValues(file, tensors, ROPE_FACTORS) : null,
    vocabSize: rows,
    bosId: roles.bos,
    eosId: roles.eos,
    padId: roles.pad,
  };
  return { vocabulary, ...recoverConfig(metadata, evidence) };
}

/** The tokenizer of a GGUF of any architecture. @throws FormatError for a damaged file, or a kind we do not have */
export async function openGgufTokenizer(path: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  const { metadata } = await readGgufHeader(path);
  return loadTokenizer(filesOfVocabulary(readVocabulary(readMetadata(metadata, path))), options);
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly fileSize: number;
}

async function withFile<Result>(path: string, action: (file: OpenFile) => Promise<Result>): Promise<Result> {
  const handle = await open(path, 'r');
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FormatError(`${path} is not a regular file.`, { file: path });
    return await action({ path, handle, fileSize: stat.size });
  } finally {
    await handle.close();
  }
}

/** More and more of the file, until the header is whole. */
async function readHeader({ path, handle, fileSize }: OpenFile): Promise<GgufHeader> {
  for (let lengthBytes = Math.min(FIRST_READ_BYTES, fileSize); ; ) {
    const bytes = await readExactly(handle, 0, lengthBytes, path);
    const header = parseGgufHeader(bytes, { file: path, fileSize });
    if (!('needs' in header)) return header;
    if (header.needs > MAX_HEADER_BYTES) {
      throw new FormatError(`${path}: the header is above the limit of ${MAX_HEADER_BYTES} bytes.`, { file: path });
    }
    lengthBytes = Math.min(Math.max(header.needs, 2 * lengthBytes), fileSize);
  }
}

async function readValues(file: OpenFile, tensors: GgufHeader['tensors'], name: string): Promise<Float32Array> {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new FormatError(`${file.path} has no tensor ${quote(name)}.`, { file: file.path, field: name });
  }
  const bytes = await readExactly(file.handle, tensor.begin, tensor.end - tensor.begin, file.path);
  return decodeTensor(name, bytes, tensor.type);
}
