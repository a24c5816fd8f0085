import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import { readLimited, writeAside } from '../files/limited.node.ts';
import { INDEX_FILE, missingWeights, WEIGHTS_FILE } from '../files/model-files.ts';
import { MAX_INDEX_BYTES, parseShardIndex, type ShardMap } from '../files/shard-index.ts';
import type { NamedTensor } from './dtypes.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';
import type { TensorEntry } from './safetensors.ts';
import { encodeShardIndex, isWeightFile, planShards } from './shards.ts';

/** The weights of a folder: one safetensors file, or several with an index. */

export interface FolderWeights {
  readonly weights: Map<string, NamedTensor>;
  /** Paths of the safetensors files that they came from. */
  readonly weightFiles: readonly string[];
}

/**
 * Reads a folder's weights; where both are there, the single file, as in transformers.
 * @param names of the folder's files
 * @throws FormatError when there are none, or the index and its files are not of one piece
 */
export async function readWeights(folder: string, names: ReadonlySet<string>): Promise<FolderWeights> {
  if (names.has(WEIGHTS_FILE)) {
    const file = join(folder, WEIGHTS_FILE);
    return { weights: await readSafetensors(file), weightFiles: [file] };
  }
  if (!names.has(INDEX_FILE)) throw missingWeights(folder, names);
  const index = join(folder, INDEX_FILE);
  const shards = parseShardIndex(await readLimited(index, MAX_INDEX_BYTES), index);
  const absent = [...shards.keys()].filter((name) => !names.has(name));
  if (absent.length > 0) {
    const which = absent.slice(0, 4).join(', ') + (absent.length > 4 ? ', …' : '');
    const message = `${index} names ${shards.size} files, ${absent.length} of them missing: ${which}. Fetch or copy the folder again.`;
    throw new FormatError(message, { file: index, field: 'weight_map' });
  }
  const weights = new Map<string, NamedTensor>();
  const homes = new Map([...shards].flatMap(([shard, tensors]) => tensors.map((name) => [name, shard] as const)));
  for (const [shard, tensors] of shards) {
    const check = (found: ReadonlyMap<string, TensorEntry>) => checkShard(join(folder, shard), shard, found, homes);
    const read = await readSafetensors(join(folder, shard), { names: tensors, check });
    for (const [name, tensor] of read) weights.set(name, tensor);
  }
  return { weights, weightFiles: [...shards.keys()].map((name) => join(folder, name)) };
}

/** A shard holds no tensor that the index gives to another file, or to none. */
function checkShard(
  file: string,
  shard: string,
  found: ReadonlyMap<string, TensorEntry>,
  homes: ReadonlyMap<string, string>,
): void {
  for (const name of found.keys()) {
    const home = homes.get(name);
    if (home === shard) continue;
    const whose = home === undefined ? 'does not know' : `gives to ${home}`;
    const remedy = 'The files are not of one model; fetch or save it again.';
    throw new FormatError(`${file} has the tensor ${quote(name)}, which ${INDEX_FILE} ${whose}. ${remedy}`, {
      file,
      field: name.slice(0, 200),
    });
  }
}

/**
 * Writes weights in place of those that are there: one file, or several and their index. All are written aside first; no
 * moment lets a reader see an index with shards of another model, and nothing of the old model is left over.
 * @throws ConfigError for a limit that is none, or a tensor whose bytes do not fit its shape
 */
export async function writeWeights(
  folder: string,
  weights: ReadonlyMap<string, NamedTensor>,
  maxShardBytes?: number,
): Promise<void> {
  const shards = planShards(weights, maxShardBytes);
  if (shards.size === 1) await writeSafetensors(join(folder, WEIGHTS_FILE), weights);
  else await writeShards(folder, shards, weights);
  const kept = new Set(shards.size === 1 ? [WEIGHTS_FILE] : [INDEX_FILE, ...shards.keys()]);
  const stale = (await readdir(folder)).filter((name) => isWeightFile(name) && !kept.has(name));
  stale.sort((a, b) => Number(b === INDEX_FILE) - Number(a === INDEX_FILE)); // the index before what it names
  for (const name of stale) await rm(join(folder, name), { force: true });
}

async function writeShards(folder: string, shards: ShardMap, weights: ReadonlyMap<string, NamedTensor>): Promise<void> {
  const at = (name: string) => join(folder, name);
  try {
    for (const [shard, names] of shards) {
      await writeSafetensors(at(`${shard}.new`), new Map(names.map((name) => [name, weights.get(name)!])));
    }
  } catch (error) {
    for (const shard of shards.keys()) await rm(at(`${shard}.new`), { force: true });
    throw error;
  }
  await rm(at(INDEX_FILE), { force: true });
  for (const shard of shards.keys()) await rename(at(`${shard}.new`), at(shard));
  await writeAside(at(INDEX_FILE), [encodeShardIndex(shards, weights)]);
}
