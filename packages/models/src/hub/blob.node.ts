import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type RepoCache, sizeOf } from './cache.node.ts';
import { type BlobSource, download, type OnBytes } from './download.node.ts';
import { HubError } from './errors.ts';
import type { Hub } from './hub.ts';
import { blobName, type RepoFile } from './listing.ts';
import { acquireLock } from './lock.node.ts';

/**
 * One file's bytes in the cache. They gather in `blobs/<hash>.incomplete` and get their name when their hash is the one that
 * the hub lists.
 */

/**
 * @param onBytes called with the bytes that are there so far
 * @throws HubError; the partial file stays for the next attempt unless its bytes are wrong. The file system's errors
 */
export async function fetchBlob(hub: Hub, cache: RepoCache, source: BlobSource, onBytes: OnBytes): Promise<void> {
  const { file, id } = source;
  const blob = path.join(cache.blobs, blobName(file));
  const isThere = async () => (await sizeOf(blob)) === file.sizeBytes;
  if (await isThere()) return;
  const lock = path.join(hub.cache, '.locks', path.basename(cache.folder), `${blobName(file)}.node.lock`);
  await mkdir(cache.blobs, { recursive: true });
  const release = await acquireLock(lock, {
    clock: hub.clock,
    signal: hub.signal,
    onWait: () => hub.onNotice(`Another process is fetching ${file.path} of ${id.repo}; waiting for it`),
  });
  try {
    if (await isThere()) return;
    await fetchChecked(hub, source, `${blob}.incomplete`, onBytes);
    await rename(`${blob}.incomplete`, blob);
  } catch (error) {
    // somebody took the lock for left behind, wrote the same bytes and was done first
    if ((error as { code?: unknown }).code !== 'ENOENT' || !(await isThere())) throw error;
  } finally {
    await release();
  }
}

/** Fills the partial file; wrong bytes are removed. What an earlier run left is given up once before that is an error. */
async function fetchChecked(hub: Hub, source: BlobSource, partial: string, onBytes: OnBytes): Promise<void> {
  const { file, id } = source;
  let wasBegun = ((await sizeOf(partial)) ?? 0) > 0;
  for (;;) {
    try {
      await download(hub, source, partial, onBytes);
    } catch (error) {
      if (error instanceof HubError && error.problem === 'damaged') await rm(partial, { force: true });
      throw error;
    }
    if (await hasHash(partial, file)) return;
    await rm(partial, { force: true });
    if (!wasBegun) break;
    wasBegun = false;
  }
  const hash = file.sha256 === null ? 'git hash' : 'SHA-256';
  const message = `${file.path} of ${id.repo} came with another ${hash} than the hub lists. It was removed; try again.`;
  throw new HubError('damaged', message);
}

async function hasHash(path: string, { sha256, gitHash, sizeBytes }: RepoFile): Promise<boolean> {
  const hash = createHash(sha256 === null ? 'sha1' : 'sha256');
  if (sha256 === null) hash.update(`blob ${sizeBytes}\0`); // the header of git's blobs
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex') === (sha256 ?? gitHash);
}
