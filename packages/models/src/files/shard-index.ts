import { FormatError } from 'onnx-grad';
import { isObject, parseJsonObject, quote } from './json.ts';

/** model.safetensors.index.json: which of several files holds which tensor. Strict: it names files to be opened. */

export const MAX_INDEX_BYTES = 100_000_000; // DeepSeek-V3's, the largest known, has 9 MB
const MAX_TENSORS = 1_000_000; // ours: DeepSeek-V3 has 92 thousand
const MAX_SHARDS = 10_000; // ours
// A file in the same folder, whatever the system: no separators, no drives, no dots to begin with.
const PLAIN_FILE = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.safetensors$/;

/** File name -> names of the tensors that it holds, both in the order of the index. */
export type ShardMap = ReadonlyMap<string, readonly string[]>;

/**
 * Parses and checks an index. `metadata.total_size` is not compared with the shards: older writers counted tied weights
 * twice, and the shards' own headers are checked to the byte.
 * @param file name for the error message
 * @throws FormatError for bad JSON, a tensor listed twice, a file that is not a plain name ending in .safetensors, a size
 *   that is none, too many entries
 */
export function parseShardIndex(bytes: Uint8Array, file: string): ShardMap {
  const { weight_map: map, metadata } = parseJsonObject(bytes, file);
  if (!isObject(map)) {
    const message = `${file}: weight_map must be an object of tensor name and file name.`;
    throw new FormatError(message, { file, field: 'weight_map' });
  }
  checkTotalSize(metadata, file);
  const entries = Object.entries(map);
  if (entries.length === 0 || entries.length > MAX_TENSORS) {
    const message = `${file}: weight_map has ${entries.length} tensors, expected 1 to ${MAX_TENSORS}.`;
    throw new FormatError(message, { file, field: 'weight_map' });
  }
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of entries) {
    if (typeof shard !== 'string' || !PLAIN_FILE.test(shard)) {
      const got = typeof shard === 'string' ? quote(shard) : typeof shard;
      const expected = 'Expected the name of a .safetensors file in the same folder';
      const field = `weight_map.${tensor.slice(0, 200)}`;
      throw new FormatError(`${file}: weight_map: ${quote(tensor)}: ${expected}, got ${got}.`, { file, field });
    }
    const tensors = shards.get(shard);
    if (tensors) tensors.push(tensor);
    else shards.set(shard, [tensor]);
  }
  if (shards.size > MAX_SHARDS) {
    const message = `${file}: weight_map names ${shards.size} files, expected at most ${MAX_SHARDS}.`;
    throw new FormatError(message, { file, field: 'weight_map' });
  }
  return shards;
}

function checkTotalSize(metadata: unknown, file: string): void {
  const fail = (expected: string, got: unknown) => {
    const field = 'metadata.total_size';
    const shown = typeof got === 'number' ? String(got) : typeof got;
    return new FormatError(`${file}: ${expected}, got ${shown}.`, { file, field });
  };
  if (metadata === undefined || metadata === null) return;
  if (!isObject(metadata)) throw fail('metadata must be an object', metadata);
  const { total_size: total } = metadata;
  if (total === undefined || (Number.isSafeInteger(total) && (total as number) >= 0)) return;
  throw fail('metadata.total_size must be a number of bytes', total);
}
