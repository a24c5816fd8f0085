/** A guard's folder at an address: files fetched with limits, and kept where there is a store. */
import type { LoadProgress } from '../load.ts';
import { cutOff, readBody } from './body.ts';
import { FetchError } from './fetch-error.ts';
import { areSame, type FileStore, noStamps, type Stamps, stampsOf } from './store.ts';

/** Where files are, and what is known of the place. */
export interface HttpFolder {
  /** Ends with a slash. */
  readonly base: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether what lies there never changes. */
  readonly isFixed?: boolean;
  /** The place's own words for a status that is no success, 404 and 410 left out. */
  readonly refusal?: (response: Response, file: string) => Error;
  /** Called when all files that were read are in the store. */
  readonly onKept?: (store: FileStore) => Promise<void>;
}

export interface HttpOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly store: FileStore | null;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: LoadProgress) => void) | undefined;
}

/** What is known of a file before it is read. */
type Found =
  | { readonly state: 'kept'; readonly read: () => Promise<Uint8Array> }
  | { readonly state: 'missing' | 'there' | 'unknown' };

/** No page: some servers answer one, with a 200, to whoever takes it. */
const ACCEPT = 'application/octet-stream, application/json';
const MISSING: readonly number[] = [404, 410];
const NO_HEAD: readonly number[] = [405, 501];

export class HttpFiles {
  readonly #folder: HttpFolder;
  readonly #options: HttpOptions;
  readonly #found = new Map<string, Promise<Found>>();
  readonly #fresh = new Map<string, { readonly bytes: Uint8Array | null; readonly stamps: Stamps }>();
  /** Bytes of each file, as far as they are known, and those that are here. */
  readonly #totals = new Map<string, number>();
  #loaded = 0;

  constructor(folder: HttpFolder, options: HttpOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws FetchError where the server does not say */
  async has(file: string): Promise<boolean> {
    const found = await this.#look(file);
    if (found.state !== 'unknown') return found.state !== 'missing';
    const probed = this.#probe(file);
    this.#found.set(file, probed);
    return (await probed).state !== 'missing';
  }

  /** @throws FetchError, FormatError for more than `maxBytes`, the signal's reason */
  async read(file: string, maxBytes: number): Promise<Uint8Array | null> {
    const found = await this.#look(file);
    if (found.state === 'missing') return null;
    if (found.state === 'kept') {
      const bytes = await found.read();
      this.#count(file, bytes.byteLength, bytes.byteLength);
      return bytes;
    }
    const url = this.#urlOf(file);
    const response = await this.#ask(file, 'GET');
    if (response === null) return null;
    this.#count(file, 0, Number(response.headers.get('content-length') ?? 0));
    const onBytes = (count: number): void => this.#count(file, count);
    const bytes = await readBody(response, { url, maxBytes, onBytes }).catch((cause: unknown) => {
      this.#options.signal?.throwIfAborted();
      // a connection that ends too early is a TypeError, in every runtime
      throw cause instanceof TypeError ? cutOff(url, 'while it was fetched', cause) : cause;
    });
    this.#totals.set(file, bytes.byteLength);
    this.#count(file, 0);
    this.#fresh.set(file, { bytes, stamps: stampsOf(response) });
    return bytes;
  }

  /** Puts what was fetched into the store: all of it, so that what is kept belongs together, or where it is full nothing. */
  async keep(): Promise<void> {
    const { store } = this.#options;
    try {
      if (store !== null) await this.#keepIn(store);
    } catch {
      await this.forget();
    }
    this.#fresh.clear();
  }

  async #keepIn(store: FileStore): Promise<void> {
    for (const [file, { bytes, stamps }] of this.#fresh) await store.keep(this.#urlOf(file), bytes, stamps);
    await this.#folder.onKept?.(store);
  }

  /** Drops the folder from the store. */
  async forget(): Promise<void> {
    await this.#options.store?.drop(this.#folder.base);
  }

  #urlOf(file: string): string {
    return `${this.#folder.base}${file}`;
  }

  /** What the store knows, and whether that still holds; without a network it does. */
  #look(file: string): Promise<Found> {
    const looked = this.#found.get(file) ?? this.#lookUp(file);
    this.#found.set(file, looked);
    return looked;
  }

  async #lookUp(file: string): Promise<Found> {
    const kept = await this.#options.store?.find(this.#urlOf(file));
    if (!kept) return { state: 'unknown' };
    const asKept: Found = kept.read === null ? { state: 'missing' } : { state: 'kept', read: kept.read };
    if (this.#folder.isFixed) return asKept;
    try {
      return await this.#probe(file, (stamps) => (kept.read !== null && areSame(stamps, kept.stamps) ? asKept : null));
    } catch (error) {
      if (error instanceof FetchError && error.status === undefined) return asKept;
      throw error;
    }
  }

  /** Asks whether the file is there. @param ifSame what it is when the server's stamps say so */
  async #probe(file: string, ifSame: (stamps: Stamps) => Found | null = () => null): Promise<Found> {
    const response = await this.#ask(file, 'HEAD');
    if (response === null) return { state: 'missing' };
    const same = ifSame(stampsOf(response));
    if (same) return same;
    this.#count(file, 0, Number(response.headers.get('content-length') ?? 0));
    return { state: 'there' };
  }

  /** @returns `null` for a file that is not there */
  async #ask(file: string, method: 'GET' | 'HEAD'): Promise<Response | null> {
    const { fetch, signal, store } = this.#options;
    signal?.throwIfAborted();
    const url = this.#urlOf(file);
    const request: RequestInit = {
      method,
      headers: { accept: ACCEPT, ...this.#folder.headers },
      ...(signal ? { signal } : {}),
      ...(store ? { cache: 'no-store' } : {}), // what is kept need not be kept twice
    };
    const response = await fetch(url, request).catch((cause: Error) => {
      signal?.throwIfAborted();
      throw unreachable(url, cause);
    });
    const isHead = method === 'HEAD';
    if (isHead && NO_HEAD.includes(response.status)) {
      const answer = await this.#ask(file, 'GET');
      await answer?.body?.cancel();
      return answer;
    }
    if (response.ok && !isPage(response)) return response;
    await response.body?.cancel();
    if (MISSING.includes(response.status)) {
      this.#fresh.set(file, { bytes: null, stamps: noStamps });
      return null;
    }
    if (!response.ok && this.#folder.refusal) throw this.#folder.refusal(response, file);
    throw response.ok ? pageError(url) : statusError(url, response.status);
  }

  #count(file: string, bytes: number, total?: number): void {
    if (total !== undefined) this.#totals.set(file, total);
    this.#loaded += bytes;
    const sum = [...this.#totals.values()].reduce((all, one) => all + one, 0);
    this.#options.onProgress?.({ loaded: this.#loaded, total: Math.max(sum, this.#loaded) });
  }
}

function isPage({ headers }: Response): boolean {
  return /^\s*(text\/html|application\/xhtml)/i.test(headers.get('content-type') ?? '');
}

function pageError(url: string): FetchError {
  const remedy = 'Is the address right? A server must answer 404 for files it does not have.';
  return new FetchError(`${url}: the server answers with a web page in place of the file. ${remedy}`, url, {
    status: 200,
  });
}

function statusError(url: string, status: number): FetchError {
  const remedy =
    status === 401 || status === 403
      ? 'May this page read it? A server must answer 404 for files it does not have.'
      : 'Try again later, or look at the server.';
  return new FetchError(`${url}: the server answers ${status}. ${remedy}`, url, { status });
}

function unreachable(url: string, cause: Error): FetchError {
  const remedy = 'Are you online? A server elsewhere must allow this page to read from it (CORS).';
  return new FetchError(`${url} cannot be reached (${cause.message}). ${remedy}`, url, { cause });
}
