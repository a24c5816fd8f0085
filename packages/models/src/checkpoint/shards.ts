import { ConfigError } from 'onnx-grad';
import { INDEX_FILE, WEIGHTS_FILE } from '../files/model-files.ts';
import type { ShardMap } from '../files/shard-index.ts';
import type { NamedTensor } from './dtypes.ts';

/** How weights are split over files, and the index that says so. */

/**
 * Which tensor goes into which file: in order, a new file where the limit would be passed, as huggingface_hub does it. A
 * tensor above the limit gets a file of its own.
 * @param maxShardBytes of the tensors in one file; Infinity for a single file
 * @throws ConfigError for a limit that is none
 * Source: huggingface_hub 2.4, serialization/_base.py, `split_state_dict_into_shards_factory`
 */
export function planShards(
  tensors: ReadonlyMap<string, Pick<NamedTensor, 'data'>>,
  maxShardBytes = Number.POSITIVE_INFINITY,
): ShardMap {
  if (maxShardBytes !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(maxShardBytes) || maxShardBytes < 1)) {
    throw new ConfigError(`maxShardBytes must be a whole number of bytes from 1, got ${maxShardBytes}.`);
  }
  const shards: string[][] = [];
  let current: string[] = [];
  let currentBytes = 0;
  for (const [name, { data }] of tensors) {
    if (data.byteLength > maxShardBytes) {
      shards.push([name]);
      continue;
    }
    if (currentBytes + data.byteLength > maxShardBytes) {
      shards.push(current);
      [current, currentBytes] = [[], 0];
    }
    current.push(name);
    currentBytes += data.byteLength;
  }
  if (current.length > 0) shards.push(current);
  if (shards.length <= 1) return new Map([[WEIGHTS_FILE, shards[0] ?? []]]);
  return new Map(shards.map((names, index) => [shardName(index + 1, shards.length), names]));
}

function shardName(number: number, count: number): string {
  const five = (value: number) => String(value).padStart(5, '0');
  return `model-${five(number)}-of-${five(count)}.safetensors`;
}

/** Files that weights may have been saved in before, under transformers' names, or halfway under ours. */
export function isWeightFile(name: string): boolean {
  return name === INDEX_FILE || /^model(-\d{5,}-of-\d{5,})?\.safetensors(\.new)?$/.test(name);
}

/** model.safetensors.index.json. */
export function encodeShardIndex(
  shards: ShardMap,
  tensors: ReadonlyMap<string, Pick<NamedTensor, 'data'>>,
): Uint8Array {
  const entries = [...shards].flatMap(([file, names]) => names.map((name) => [name, file] as const));
  const totalBytes = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const index = {
    metadata: { total_size: totalBytes },
    weight_map: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`);
}
