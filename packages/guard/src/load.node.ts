/** A guard from a folder, a hub id or an address, on onnxruntime-node. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type HubOptions, openModelFolder } from '@harmaug/models/node';
import type { GuardParts } from './guard.ts';
import { type GuardOptions, type GuardSource, modelFiles, readGuard } from './load.ts';
import { openModel } from './session.node.ts';
import { SETTINGS_FILE } from './settings.ts';
import { folderAddress } from './sources/address.ts';
import { folderSource } from './sources/folder.node.ts';
import { httpSource } from './sources/http-source.ts';

export interface LoadOptions extends GuardOptions {
  /** How a hub id is fetched. */
  readonly hub?: HubOptions;
}

/** @throws FormatError, ConfigError, HubError, FetchError for what is no exported guard, in one line */
export async function loadParts(name: string | URL, options: LoadOptions = {}): Promise<GuardParts> {
  const candidates = modelFiles(options.dtype);
  return readGuard(await sourceOf(name, candidates, options), candidates, options);
}

async function sourceOf(name: string | URL, candidates: readonly string[], options: LoadOptions): Promise<GuardSource> {
  const { signal, onProgress, hub } = options;
  if (name instanceof URL && name.protocol === 'file:') return folderSource(fileURLToPath(name));
  const isAddress = name instanceof URL || (/^https?:\/\//i.test(name) && !existsSync(name));
  if (isAddress) {
    const http = { fetch: hub?.fetch ?? globalThis.fetch, store: null, signal, onProgress };
    const open = (file: string, bytes: Uint8Array, { threads }: GuardOptions) => openModel(file, bytes, threads);
    return httpSource({ base: folderAddress(new URL(name)) }, http, open);
  }
  const { folder } = await openModelFolder(name, {
    ...(signal ? { signal } : {}),
    ...(onProgress
      ? { onProgress: ({ doneBytes, totalBytes }) => onProgress({ loaded: doneBytes, total: totalBytes }) }
      : {}),
    ...hub,
    exported: candidates,
    also: [SETTINGS_FILE],
  });
  signal?.throwIfAborted();
  return folderSource(folder);
}
