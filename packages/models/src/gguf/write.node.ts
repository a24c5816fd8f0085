import path from 'node:path';
import { matchWeights } from '../checkpoint/match.ts';
import type { JsonObject } from '../files/json.ts';
import { writeAside } from '../files/limited.node.ts';
import { describeConfig } from './architectures.ts';
import { encodeGgufHeader, type TensorPlan } from './encode.ts';
import { vocabularyOfFiles } from './from-files.ts';
import { metadataOf } from './metadata.ts';
import { interleave } from './rotary-order.ts';
import { encodeTensor, type GgufWeightType } from './tensor-codecs.ts';
import { type GgufValue, tensorTypes } from './types.ts';
import { describeVocabulary } from './vocabulary.ts';
import { ROPE_FACTORS, weightsOf } from './weights.ts';

/** A causal language model with its tokenizer as one file that llama.cpp runs. */

export interface GgufSource {
  /** config.json of a Llama or Qwen2. */
  readonly json: JsonObject;
  /** By Hugging Face's names; those of a model whose head reads the word embeddings may lack `lm_head.weight`. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** File name -> bytes: tokenizer.json, and tokenizer_config.json and chat_template.jinja where there are such. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
  /** Jinja. Default: that of the tokenizer's files, if any. */
  readonly chatTemplate?: string | undefined;
  /** Of the matrices; norms and biases are f32 in each. */
  readonly type: GgufWeightType;
  /** `general.name`. Default: the file's. */
  readonly name?: string;
}

export interface WrittenGguf {
  readonly sizeBytes: number;
  /** What llama.cpp does otherwise with texts than the tokenizer, a sentence each; empty where nothing. */
  readonly differences: readonly string[];
}

/** `general.file_type`. Source: llama.cpp, include/llama.h, `enum llama_ftype` */
const fileTypes: { readonly [T in GgufWeightType]: number } = { f32: 0, f16: 1, q8_0: 7 };
const QUANTIZATION_VERSION = 2; // ggml.h, GGML_QNT_VERSION

/**
 * Writes a model. The file appears when it is whole.
 * @example
 * const written = await writeGguf('student.gguf', { json, weights, tokenizerFiles, type: 'q8_0' });
 * @throws ConfigError for a model or tokenizer that llama.cpp cannot run, and values that the type cannot hold;
 *   FormatError for a damaged config or tokenizer, and weights that do not fit the config
 */
export async function writeGguf(file: string, source: GgufSource): Promise<WrittenGguf> {
  const { json, weights, tokenizerFiles, chatTemplate, type } = source;
  const { architecture, config, metadata, ropeFactors } = describeConfig(json);
  const { vocabulary, differences } = vocabularyOfFiles(tokenizerFiles, {
    vocabSize: config.vocabSize,
    config: json,
    chatTemplate,
  });
  const names = weightsOf(config, architecture);
  expectWeights(names, weights, config.tieWords);
  const header: [string, GgufValue][] = [
    ['general.architecture', metadataOf.string(architecture.name)],
    ['general.type', metadataOf.string('model')],
    ['general.name', metadataOf.string(source.name ?? path.basename(file, '.gguf'))],
    ['general.file_type', metadataOf.uint32(fileTypes[type])],
    ['general.quantization_version', metadataOf.uint32(QUANTIZATION_VERSION)],
    ...metadata,
    ...describeVocabulary(vocabulary),
  ];
  const tensors: Tensor[] = names.map(({ hf, gguf, shape, turnedHeads }) => ({
    name: gguf,
    shape,
    type: typeOf(shape, type),
    values: () => {
      const values = weights.get(hf)!;
      return turnedHeads === null ? values : interleave(values, { heads: turnedHeads, headSize: config.headSize });
    },
  }));
  if (ropeFactors) {
    tensors.push({ name: ROPE_FACTORS, shape: [ropeFactors.length], type: 'f32', values: () => ropeFactors });
  }
  const encoded = encodeGgufHeader(new Map(header), tensors);
  let sizeBytes = 0;
  await writeAside(file, counted());
  return { sizeBytes, differences };

  /** Tensor after tensor, so that one at a time is in memory beside the weights. */
  function* counted(): Generator<Uint8Array> {
    for (const chunk of chunksOf(encoded, tensors)) {
      sizeBytes += chunk.byteLength;
      yield chunk;
    }
  }
}

interface Tensor extends TensorPlan {
  readonly type: GgufWeightType;
  readonly values: () => Float32Array;
}

function* chunksOf({ header, paddingBytes }: ReturnType<typeof encodeGgufHeader>, tensors: readonly Tensor[]) {
  yield header;
  for (const [i, { name, type, values }] of tensors.entries()) {
    yield encodeTensor(name, values(), type);
    yield new Uint8Array(paddingBytes[i]!);
  }
}

/** Norms and biases stay f32, rows that are no whole number of blocks f16: as llama.cpp's converter has them. */
function typeOf(shape: readonly number[], type: GgufWeightType): GgufWeightType {
  if (shape.length < 2) return 'f32';
  return shape.at(-1)! % tensorTypes[type].block === 0 ? type : 'f16';
}

/** Every weight of the config with as many values as its shape has, and no other. */
function expectWeights(names: ReturnType<typeof weightsOf>, weights: GgufSource['weights'], tieWords: boolean): void {
  const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  matchWeights({
    expected: new Map(names.map(({ hf, shape }) => [hf, [sizeOf(shape)]])),
    found: new Map([...weights].map(([name, { length }]) => [name, [length]])),
    file: 'The weights',
    ignore: [/rotary_emb\.inv_freq$/, ...(tieWords ? [/^lm_head\.weight$/] : [])],
  });
}
