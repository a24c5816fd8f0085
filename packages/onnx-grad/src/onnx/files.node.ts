import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type DecodeLimits, decodeModel, defaultDecodeLimits } from './decode.ts';
import { encodeChunks } from './encode.ts';
import { type ExternalPlace, planExternalData } from './external-data.ts';
import { ExternalFiles } from './external-files.node.ts';
import type { ModelRecord, TensorRecord } from './model.ts';
import { formatError } from './wire.ts';

/** ONNX model files, with large tensors in a second file where one message cannot hold them. */

// One message holds 2^31 - 1 bytes; this leaves 240 MB for the graph itself
const EXTERNAL_DATA_THRESHOLD_BYTES = 1.9e9;
const SLICE_BYTES = 64 * 2 ** 20; // per write call: well under the 2 GiB that a system call takes

export interface WriteModelOptions {
  /** When the initializers together take more than this, they go to `<path>_data`. Default 1.9e9. */
  readonly externalDataThresholdBytes?: number;
}

/**
 * Writes `model.onnx`, and `model.onnx_data` when the tensors are too large for one file. Each file is written aside
 * and renamed, the model last, so that a crash leaves no half-written file under the final name. Tensor data are
 * streamed from the model's own arrays.
 */
export async function writeModelFile(path: string, model: ModelRecord, options: WriteModelOptions = {}): Promise<void> {
  const threshold = options.externalDataThresholdBytes ?? EXTERNAL_DATA_THRESHOLD_BYTES;
  const { initializers } = model.graph;
  const tensorBytes = initializers.reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
  const dataPath = `${path}_data`;
  const external = tensorBytes > threshold ? planExternalData(initializers, basename(dataPath)) : new Map();
  const chunks = encodeChunks(model, external); // before the first byte is written: it may refuse the model
  if (external.size > 0) await writeAside(dataPath, dataChunks(external));
  await writeAside(path, chunks);
}

/**
 * Reads a model written by anyone, external data included.
 * @throws FormatError for what `decodeModel` refuses, files beyond the limit, and external data that are missing, too
 *   short, or outside the model's folder (also by way of a symbolic link)
 */
export async function readModelFile(
  path: string,
  options: { limits?: Partial<DecodeLimits> } = {},
): Promise<ModelRecord> {
  const maxBytes = options.limits?.maxBytes ?? defaultDecodeLimits.maxBytes;
  const { size } = await stat(path);
  if (size > maxBytes) {
    throw formatError({ file: path, field: '' }, `${size} bytes are more than the limit of ${maxBytes}.`);
  }
  const files = new ExternalFiles(path);
  const { buffer, byteOffset, byteLength } = await readFile(path);
  const model = decodeModel(new Uint8Array(buffer, byteOffset, byteLength), {
    ...options,
    file: path,
    readExternal: (external, place) => files.reserve(external, place),
  });
  await files.read();
  return model;
}

async function writeAside(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const aside = `${path}.${randomUUID()}.partial`;
  try {
    await pipeline(slices(chunks), createWriteStream(aside, { flags: 'wx', flush: true }));
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/** Tensors in the order of their places, with zeros between them up to each offset. */
function* dataChunks(places: ReadonlyMap<TensorRecord, ExternalPlace>): Generator<Uint8Array> {
  let at = 0;
  for (const [tensor, { offsetBytes, lengthBytes }] of places) {
    if (offsetBytes > at) yield new Uint8Array(offsetBytes - at);
    yield tensor.data;
    at = offsetBytes + lengthBytes;
  }
}

function* slices(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
  }
}
