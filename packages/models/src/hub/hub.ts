import type { Asked } from './errors.ts';
import type { HubId } from './id.ts';
import type { HubPolicy } from './retry.ts';

/** What every part of the hub's client works with; `openHub` makes it. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** @throws the signal's reason when it is aborted */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface HubProgress {
  /** The file in hand, as the repository names it. */
  readonly file: string;
  /** Of all files that are fetched for this call. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface HubOptions {
  /** The hub's address, or a mirror's. Default: HF_ENDPOINT. */
  readonly endpoint?: string;
  /** HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and their kin. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  /** Folder of the cache, laid out as Python's huggingface_hub does. Default: HF_HUB_CACHE. */
  readonly cache?: string;
  /** Ends it; what was fetched so far is kept for the next time. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: HubProgress) => void;
  /** Lines a user should read: that it waits, or goes on with an older copy. */
  readonly onNotice?: (line: string) => void;
}

export interface Hub {
  /** https://huggingface.co, or a mirror; no slash at the end. */
  readonly endpoint: string;
  readonly token: string | null;
  readonly cache: string;
  readonly isOffline: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly policy: HubPolicy;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: HubProgress) => void;
  readonly onNotice: (line: string) => void;
}

export function asked({ endpoint, token }: Hub, id: HubId, file?: string): Asked {
  return { endpoint, hasToken: token !== null, id, ...(file === undefined ? {} : { file }) };
}
