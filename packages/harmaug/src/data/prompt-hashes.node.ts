/** Which prompts a student has seen, without the prompts: to tell when a test set repeats them. */
import { createHash } from 'node:crypto';
import { FormatError } from 'onnx-grad';
import { promptKey } from './prompt-key.ts';

const HASH_BYTES = 8; // a million prompts against a million others: one false match in some 20,000 runs

export function hashPrompt(prompt: string): bigint {
  return createHash('sha256').update(promptKey(prompt)).digest().readBigUInt64BE(0);
}

/** The hashes of all prompts, each once, in order: 8 bytes each. */
export function encodePromptHashes(prompts: Iterable<string>): Uint8Array {
  return encodeHashes(Array.from(prompts, hashPrompt));
}

/** As above, of hashes that are known. */
export function encodeHashes(all: Iterable<bigint>): Uint8Array {
  const hashes = BigUint64Array.from(new Set(all)).sort();
  const bytes = Buffer.alloc(hashes.length * HASH_BYTES);
  for (const [index, hash] of hashes.entries()) bytes.writeBigUInt64BE(hash, index * HASH_BYTES);
  return bytes;
}

/** @throws FormatError when the bytes are no list of hashes */
export function decodePromptHashes(bytes: Uint8Array, file: string): Set<bigint> {
  if (bytes.length % HASH_BYTES !== 0) {
    throw new FormatError(`${file}: expected hashes of ${HASH_BYTES} bytes, got ${bytes.length} bytes.`, { file });
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Set(
    Array.from({ length: bytes.length / HASH_BYTES }, (_, index) => view.readBigUInt64BE(index * HASH_BYTES)),
  );
}
