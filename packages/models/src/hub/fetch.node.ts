import path from 'node:path';
import { FormatError } from 'onnx-grad';
import { readLimited } from '../files/limited.node.ts';
import { INDEX_FILE } from '../files/model-files.ts';
import { MAX_INDEX_BYTES, parseShardIndex } from '../files/shard-index.ts';
import { listFiles, resolveCommit } from './api.ts';
import { fetchBlob } from './blob.node.ts';
import {
  linkIntoSnapshot,
  type RepoCache,
  readRef,
  readTree,
  repoCache,
  sizeOf,
  snapshotFolder,
  snapshotNames,
  writeRef,
  writeTree,
} from './cache.node.ts';
import { diskError } from './disk.node.ts';
import { HubError } from './errors.ts';
import type { Hub } from './hub.ts';
import { formatHubId, type HubId, isCommit, pagePath } from './id.ts';
import type { RepoFile } from './listing.ts';
import { checkSize, type Wanted } from './wanted.ts';

/** From a hub id to files on this machine: out of the cache where they are there, else fetched, checked and kept. */

/** Which state of which repository. */
export interface HubSource {
  /** owner/name */
  readonly id: string;
  /** 40 hex digits; `id@commit` names exactly these files for ever. */
  readonly commit: string;
}

export interface Fetched {
  /** Of this commit in the cache; at least what was wanted is in it. */
  readonly folder: string;
  readonly source: HubSource;
}

/** How it asks while it has a copy to go on with. */
const BRIEFLY = { attempts: 1, answerTimeoutMs: 10_000 };

/**
 * Asks the hub which commit the revision is, unless it is one; fetches what the cache lacks of it. Where the hub cannot be
 * asked, a copy that was fetched before does.
 * @throws HubError, FormatError
 */
export async function fetchFiles(hub: Hub, id: HubId, wanted: Wanted): Promise<Fetched> {
  const cache = repoCache(hub.cache, id);
  const kept = await findKept(cache, id, wanted);
  if (kept !== null && (hub.isOffline || (kept.isSure && isCommit(id.revision)))) return kept.fetched;
  if (hub.isOffline) throw offlineError(hub, id);
  const asking = kept === null ? hub : { ...hub, policy: { ...hub.policy, ...BRIEFLY } };
  let commit: string;
  let files: readonly RepoFile[];
  try {
    commit = isCommit(id.revision) ? id.revision : await resolveCommit(asking, id);
    files = (await readTree(cache, commit)) ?? (await listFiles(asking, id, commit));
  } catch (error) {
    if (kept === null || !(error instanceof HubError)) throw error;
    const { commit: copy } = kept.fetched.source;
    hub.onNotice(`${error.message} Going on with the copy in the cache, commit ${copy}.`);
    return kept.fetched;
  }
  await writeTree(cache, commit, files);
  try {
    await fetchMissing(hub, cache, { id, commit }, files, wanted);
  } catch (error) {
    throw diskError(error, hub.cache);
  }
  await writeRef(cache, id.revision, commit);
  return fetchedOf(cache, id, commit);
}

function fetchedOf(cache: RepoCache, id: HubId, commit: string): Fetched {
  return { folder: snapshotFolder(cache, commit), source: { id: pagePath(id), commit } };
}

interface Kept {
  readonly fetched: Fetched;
  /** Whether the listing was kept too, so that nothing that is wanted can be missing. */
  readonly isSure: boolean;
}

/** What the cache has of a revision, when it has all that is wanted. */
async function findKept(cache: RepoCache, id: HubId, wanted: Wanted): Promise<Kept | null> {
  const commit = await readRef(cache, id.revision);
  if (commit === null) return null;
  const tree = await readTree(cache, commit);
  const folder = snapshotFolder(cache, commit);
  const names = tree === null ? await snapshotNames(cache, commit) : new Set(tree.map((file) => file.path));
  const sizes = new Map(tree?.map((file) => [file.path, file.sizeBytes]));
  const isThere = async (name: string) => {
    const sizeBytes = await sizeOf(path.join(folder, name));
    return sizeBytes !== null && sizeBytes === (sizes.get(name) ?? sizeBytes);
  };
  try {
    const first = wanted(names, formatHubId(id));
    if (!(await every(first, isThere))) return null;
    const shards = first.includes(INDEX_FILE) ? await readShardNames(folder) : [];
    return (await every(shards, isThere)) ? { fetched: fetchedOf(cache, id, commit), isSure: tree !== null } : null;
  } catch (error) {
    if (error instanceof FormatError || error instanceof HubError) return null; // incomplete: the hub will say
    throw error;
  }
}

async function every<T>(values: readonly T[], isSo: (value: T) => Promise<boolean>): Promise<boolean> {
  for (const value of values) if (!(await isSo(value))) return false;
  return true;
}

async function readShardNames(folder: string): Promise<string[]> {
  const file = path.join(folder, INDEX_FILE);
  return [...parseShardIndex(await readLimited(file, MAX_INDEX_BYTES), file).keys()];
}

/** Fetches what is wanted of a commit and not there yet; the index of split weights first, for it names the others. */
async function fetchMissing(
  hub: Hub,
  cache: RepoCache,
  { id, commit }: { readonly id: HubId; readonly commit: string },
  files: readonly RepoFile[],
  wanted: Wanted,
): Promise<void> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const folder = snapshotFolder(cache, commit);
  const where = formatHubId(id);
  const get = async (names: readonly string[]) => {
    const missing: RepoFile[] = [];
    for (const name of names) {
      const file = byPath.get(name)!;
      checkSize(file, where);
      if ((await sizeOf(path.join(folder, name))) !== file.sizeBytes) missing.push(file);
    }
    const report = progressOf(hub, missing);
    for (const file of missing) {
      await fetchBlob(hub, cache, { id, commit, file }, (bytes) => report(file, bytes));
      await linkIntoSnapshot(cache, commit, file);
    }
  };
  const names = wanted(new Set(byPath.keys()), where);
  if (!names.includes(INDEX_FILE)) return get(names);
  await get([INDEX_FILE]);
  const shards = await readShardNames(folder);
  const absent = shards.find((name) => !byPath.has(name));
  if (absent !== undefined) {
    const file = `${where}/${INDEX_FILE}`;
    throw new FormatError(`${file} names ${absent}, which the repository does not have.`, {
      file,
      field: 'weight_map',
    });
  }
  await get([...names, ...shards]);
}

const REPORT_EVERY_MS = 100;

/** Of a file's bytes, as bytes of all of them, now and then. */
function progressOf(hub: Hub, files: readonly RepoFile[]): (file: RepoFile, bytes: number) => void {
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let lastMs = Number.NEGATIVE_INFINITY;
  return (file, bytes) => {
    const nowMs = hub.clock.now();
    if (nowMs - lastMs < REPORT_EVERY_MS && bytes < file.sizeBytes) return;
    lastMs = nowMs;
    const before = files.slice(0, files.indexOf(file)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    hub.onProgress({ file: file.path, doneBytes: before + bytes, totalBytes });
  };
}

function offlineError(hub: Hub, id: HubId): HubError {
  const remedy = 'Unset it once to fetch the files, or name a local folder.';
  const problem = `${formatHubId(id)} is not, or not whole, in ${hub.cache}`;
  return new HubError('offline', `HF_HUB_OFFLINE is set, and ${problem}. ${remedy}`);
}
