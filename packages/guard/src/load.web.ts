/** A guard from an address, a hub id or files in hand, on onnxruntime-web in this thread. */
import { parseHubId } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import type { GuardParts } from './guard.ts';
import { type Dtype, dtypes, type GuardOptions, type GuardSource, modelFiles, readGuard } from './load.ts';
import type { OpenedModel } from './session.ts';
import { openModel, type WasmPaths, type WebDevice } from './session.web.ts';
import { folderAddress } from './sources/address.ts';
import { blobSource, type GuardFiles } from './sources/blobs.ts';
import type { HttpFolder, HttpOptions } from './sources/http.ts';
import { httpSource } from './sources/http-source.ts';
import { type HubSettings, hubFolder } from './sources/hub.ts';
import { openStore } from './sources/store.web.ts';

export interface WebOptions extends GuardOptions {
  /** Default 'wasm'. */
  readonly device?: WebDevice;
  /** Where onnxruntime-web's .mjs and .wasm files are served. Default: beside the script that holds it. */
  readonly wasmPaths?: WasmPaths;
  /** Whether files are kept for the next time, with or without a network. Default true. */
  readonly cache?: boolean;
  /** How a hub id is fetched. */
  readonly hub?: HubSettings;
}

/** In order of preference. On a GPU the runtime has no 8-bit products and would go back and forth. */
export const preferredDtypes: Readonly<Record<WebDevice, readonly Dtype[]>> = {
  wasm: dtypes,
  webgpu: ['q4', 'fp32', 'int8'],
};

/**
 * @param from an absolute address, a hub id, or files; relative addresses are for `absolute` to resolve
 * @throws FormatError, ConfigError, HubError, FetchError, DeviceError
 */
export async function loadParts(from: string | GuardFiles, options: WebOptions): Promise<GuardParts> {
  const { device = 'wasm', wasmPaths } = options;
  const candidates = modelFiles(options.dtype, preferredDtypes[device] ?? dtypes);
  const open: OpenBytes = (file, bytes, { threads = 0 }) =>
    openModel(file, bytes, { device, threads, ...(wasmPaths === undefined ? {} : { wasmPaths }) });
  const source = typeof from === 'string' ? await sourceAt(from, options, open) : blobSource(from, open);
  return readGuard(source, candidates, options);
}

type OpenBytes = (file: string, bytes: Uint8Array, options: GuardOptions) => Promise<OpenedModel>;

async function sourceAt(name: string, options: WebOptions, open: OpenBytes): Promise<GuardSource> {
  const { signal, onProgress } = options;
  const store = (options.cache ?? true) ? await openStore() : null;
  const http: HttpOptions = { fetch: globalThis.fetch.bind(globalThis), store, signal, onProgress };
  return httpSource(await folderOf(name, options, http), http, open);
}

async function folderOf(name: string, { hub = {} }: WebOptions, http: HttpOptions): Promise<HttpFolder> {
  const id = parseHubId(name);
  return id === null ? { base: folderAddress(new URL(name)) } : hubFolder(id, hub, http);
}

/**
 * What a page calls a guard, as something that means the same in a worker: hub ids stay, addresses become absolute.
 * @throws ConfigError for what is neither
 */
export function absolute(name: string | URL, page: string): string {
  if (typeof name === 'string' && parseHubId(name) !== null) return name;
  if (URL.canParse(name, page)) return new URL(name, page).href;
  throw new ConfigError(`${JSON.stringify(String(name).slice(0, 120))} is neither an address nor a hub id.`);
}
