import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isObject } from '../files/json.ts';
import { readLimited } from '../files/limited.node.ts';
import { type HubId, isCommit } from './id.ts';
import { blobName, MAX_FILES, type RepoFile, readFile as readFileFields } from './listing.ts';

/**
 * The cache as Python's huggingface_hub lays it out, so that each finds what the other fetched:
 *
 *     models--owner--name/
 *       blobs/<sha256 or git hash>          the bytes
 *       refs/main                           the commit that a branch was at
 *       snapshots/<commit>/config.json      links to the blobs
 *       trees/<commit>.json                 every file of the commit: size and hashes
 *
 * Source: huggingface_hub 2.4, file_download.py and _tree_cache.py
 */
export interface RepoCache {
  readonly folder: string;
  readonly blobs: string;
}

const TREE_FORMAT = 1; // _tree_cache.py, TREE_CACHE_FORMAT_VERSION
const MAX_TREE_BYTES = 64 * 2 ** 20;
const MAX_REF_BYTES = 1000;

export function repoCache(cache: string, { kind, repo }: HubId): RepoCache {
  const folder = path.join(cache, `${kind}s--${repo.replace('/', '--')}`);
  return { folder, blobs: path.join(folder, 'blobs') };
}

export function snapshotFolder({ folder }: RepoCache, commit: string): string {
  return path.join(folder, 'snapshots', commit);
}

/** The commit that a revision was at when it was last asked for; a commit is its own. */
export async function readRef({ folder }: RepoCache, revision: string): Promise<string | null> {
  if (isCommit(revision)) return revision;
  const bytes = await readLimited(path.join(folder, 'refs', revision), MAX_REF_BYTES).catch(() => null);
  const commit = bytes === null ? '' : new TextDecoder().decode(bytes).trim();
  return isCommit(commit) ? commit : null;
}

/** Best effort: the cache may be one that can only be read. */
export async function writeRef({ folder }: RepoCache, revision: string, commit: string): Promise<void> {
  if (!isCommit(revision)) await writeWhole(path.join(folder, 'refs', revision), commit).catch(() => undefined);
}

/** `null` where it was not kept or is damaged. */
export async function readTree({ folder }: RepoCache, commit: string): Promise<RepoFile[] | null> {
  try {
    const bytes = await readLimited(path.join(folder, 'trees', `${commit}.json`), MAX_TREE_BYTES);
    const tree: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isObject(tree) || tree.format_version !== TREE_FORMAT || !isObject(tree.files)) return null;
    const entries = Object.entries(tree.files);
    if (entries.length > MAX_FILES) return null;
    const files = entries.map(([name, info]) => {
      const { size, blob_id, lfs_sha256, lfs_size, xet_hash } = isObject(info) ? info : {};
      return readFileFields({
        path: name,
        size: lfs_size ?? size,
        gitHash: blob_id,
        sha256: lfs_sha256,
        xetHash: xet_hash,
      });
    });
    return files.every((file) => typeof file !== 'string') ? files : null;
  } catch {
    return null;
  }
}

/** Best effort, too. */
export async function writeTree({ folder }: RepoCache, commit: string, files: readonly RepoFile[]): Promise<void> {
  const entries = files.map(({ path: name, sizeBytes, gitHash, sha256, xetHash }) => {
    const large = sha256 === null ? {} : { lfs_sha256: sha256, lfs_size: sizeBytes };
    const xet = xetHash === null ? {} : { xet_hash: xetHash };
    return [name, { size: sizeBytes, blob_id: gitHash, ...large, ...xet }] as const;
  });
  const sorted = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  const json = JSON.stringify({ format_version: TREE_FORMAT, files: sorted }, null, 2);
  await writeWhole(path.join(folder, 'trees', `${commit}.json`), json).catch(() => undefined);
}

/** Paths of a snapshot's files whose bytes are there. */
export async function snapshotNames(cache: RepoCache, commit: string): Promise<Set<string>> {
  const folder = snapshotFolder(cache, commit);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(path.join(folder, name))));
  return new Set(names.filter((_, at) => sizes[at] !== null).map((name) => name.replaceAll(path.sep, '/')));
}

/** Of a file, through links; `null` where there is none. */
export async function sizeOf(file: string): Promise<number | null> {
  const info = await stat(file).catch(() => null);
  return info?.isFile() ? info.size : null;
}

/** Puts a blob, which is whole, into a snapshot under its name. */
export async function linkIntoSnapshot(cache: RepoCache, commit: string, file: RepoFile): Promise<void> {
  const place = path.join(snapshotFolder(cache, commit), ...file.path.split('/'));
  const blob = path.join(cache.blobs, blobName(file));
  await mkdir(path.dirname(place), { recursive: true });
  const aside = `${blob}.${randomUUID().slice(0, 8)}.tmp`; // renamed into the snapshot whole
  try {
    await symlink(path.relative(path.dirname(place), blob), aside);
  } catch (error) {
    if (!['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP'].includes((error as { code: string }).code)) throw error;
    await copyFile(blob, aside); // Windows without the right to make links
  }
  try {
    await rename(aside, place);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return;
  await mkdir(path.dirname(file), { recursive: true });
  const aside = `${file}.${randomUUID().slice(0, 8)}.tmp`;
  await writeFile(aside, text);
  await rename(aside, file);
}
