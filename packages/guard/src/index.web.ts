/** The guard in the browser, with everything of index.ts. */
import { type CheckOptions, type GuardAnswer, type GuardApi, GuardCore, type GuardRequest } from './guard.ts';
import { absolute, loadParts, type WebOptions } from './load.web.ts';
import type { GuardSettings } from './settings.ts';
import type { GuardFiles } from './sources/blobs.ts';
import type { StreamApi, StreamOptions } from './stream.ts';
import { loadInWorker, type OpenWorker } from './worker/client.web.ts';

export * from './index.ts';
export { preferredDtypes } from './load.web.ts';
export type { WasmPaths, WebDevice } from './session.web.ts';
export type { GuardFiles } from './sources/blobs.ts';
export type { HubSettings } from './sources/hub.ts';
export { CACHE_NAME } from './sources/store.web.ts';

export interface LoadOptions extends WebOptions {
  /** Whether the whole guard runs in a worker, so that the page stays free; or what makes that worker. Default false. */
  readonly worker?: boolean | OpenWorker;
}

/**
 * A guard on onnxruntime-web.
 * @example
 * const guard = await Guard.load('./guards/mine', { worker: true });
 * const { verdict, score, window } = await guard.check({ prompt, response });
 * await guard.dispose();
 */
export class Guard implements GuardApi {
  readonly #inner: GuardApi;

  private constructor(inner: GuardApi) {
    this.#inner = inner;
  }

  /**
   * @param from address of a folder with config.json, the tokenizer's files and onnx/: absolute, or relative to the page
   *   (`./guards/mine`); a hub id (`owner/name`, `owner/name@revision`); or the folder's files, by their path in it
   * @throws FormatError, ConfigError, HubError, FetchError, DeviceError: one line saying what is wrong with it
   */
  static async load(from: string | URL | GuardFiles, options: LoadOptions = {}): Promise<Guard> {
    const { worker = false, ...rest } = options;
    const page = globalThis.document?.baseURI ?? globalThis.location.href;
    const at = typeof from === 'string' || from instanceof URL ? absolute(from, page) : from;
    const settled =
      typeof rest.wasmPaths === 'string' ? { ...rest, wasmPaths: new URL(rest.wasmPaths, page).href } : rest;
    if (worker !== false) return new Guard(await loadInWorker(at, settled, worker === true ? undefined : worker));
    const parts = await loadParts(at, settled);
    try {
      return new Guard(new GuardCore(parts));
    } catch (error) {
      await parts.release();
      throw error;
    }
  }

  get settings(): GuardSettings {
    return this.#inner.settings;
  }

  /** @throws ConfigError for what is no request; the signal's reason when it is aborted */
  check(request: GuardRequest, options?: CheckOptions): Promise<GuardAnswer> {
    return this.#inner.check(request, options);
  }

  /** In the order of the requests, in as few batches as their lengths allow. */
  checkMany(requests: readonly GuardRequest[], options?: CheckOptions): Promise<GuardAnswer[]> {
    return this.#inner.checkMany(requests, options);
  }

  /** Checks a response while it is written. */
  stream(request: Pick<GuardRequest, 'prompt'>, options?: StreamOptions): StreamApi {
    return this.#inner.stream(request, options);
  }

  dispose(): Promise<void> {
    return this.#inner.dispose();
  }
}
