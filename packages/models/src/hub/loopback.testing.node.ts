/** A hub on this machine: it answers as huggingface.co does, keeps what it was asked, and fails as it is told to. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoopbackRepo {
  /** owner/name, or datasets/owner/name */
  readonly id: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly branches?: Readonly<Record<string, string>>;
  /** Only this token may read its files. */
  readonly gatedFor?: string;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly at: 'hub' | 'cdn';
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | string;
}

/** Answers itself and returns true, or leaves it to the hub. */
export type Fault = (seen: Seen, response: ServerResponse) => boolean;

export const gitHash = (bytes: Uint8Array) =>
  createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** The kinds of files that the hub keeps in large-file storage. */
export const isLarge = (name: string) => /\.(safetensors|bin|model|gguf|parquet)$/.test(name);

export class LoopbackHub {
  readonly repos = new Map<string, LoopbackRepo>();
  readonly seen: Seen[] = [];
  /** Each may take a request before the hub does. */
  readonly faults: Fault[] = [];
  pageSize = 1000;
  readonly #servers: readonly [hub: Server, cdn: Server];

  private constructor(servers: readonly [Server, Server]) {
    this.#servers = servers;
  }

  static async start(...repos: readonly LoopbackRepo[]): Promise<LoopbackHub> {
    const servers = [createServer(), createServer()] as const;
    const hub = new LoopbackHub(servers);
    for (const repo of repos) hub.repos.set(repo.id, repo);
    for (const [index, server] of servers.entries()) {
      server.on('request', (request, response) => hub.#handle(request, response, index === 0 ? 'hub' : 'cdn'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return hub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#servers[0].address() as AddressInfo).port}`;
  }

  get cdn(): string {
    return `http://127.0.0.1:${(this.#servers[1].address() as AddressInfo).port}`;
  }

  /** Requests so far as "GET hub /path", and forgets them. */
  takeRequests(): string[] {
    return this.seen.splice(0).map(({ method, at, url }) => `${method} ${at} ${url.split('?')[0]}`);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #handle(request: IncomingMessage, response: ServerResponse, at: 'hub' | 'cdn'): void {
    const { method = 'GET', url = '/', headers } = request;
    const { authorization, range, 'if-range': ifRange } = headers;
    const seen: Seen = { method, url, at, authorization, range, ifRange: ifRange as string | undefined };
    this.seen.push(seen);
    if (this.faults.some((fault) => fault(seen, response))) return;
    const { status, headers: own = {}, body } = at === 'hub' ? this.#answer(seen) : this.#blob(seen);
    response.writeHead(status, own).end(method === 'HEAD' ? undefined : body);
  }

  #answer(seen: Seen): Answer {
    const parts = new URL(seen.url, 'http://x').pathname.slice(1).split('/').map(decodeURIComponent);
    const isApi = parts[0] === 'api' && parts.shift() === 'api';
    const isDataset = parts[0] === 'datasets';
    if (isApi || isDataset) parts.shift();
    const [owner, name, verb, revision, ...rest] = parts;
    const repo = this.repos.get(`${isDataset ? 'datasets/' : ''}${owner}/${name}`);
    if (!repo) return refusal(seen.authorization ? 404 : 401, 'RepoNotFound');
    const commit = (repo.branches ?? { main: COMMIT })[revision!] ?? (revision === COMMIT ? COMMIT : undefined);
    if (commit === undefined) return refusal(404, 'RevisionNotFound');
    if (isApi && verb === 'revision') return json({ id: repo.id, sha: commit });
    if (isApi && verb === 'tree') return this.#tree(repo, seen.url);
    return verb === 'resolve' ? this.#resolve(repo, commit, rest.join('/'), seen) : refusal(404, '');
  }

  #tree({ files }: LoopbackRepo, url: string): Answer {
    const at = new URL(url, this.endpoint);
    const begin = Number(at.searchParams.get('cursor') ?? 0);
    const folders = [...files.keys()].filter((path) => path.includes('/')).map((path) => path.split('/')[0]);
    const entries = [
      ...[...new Set(folders)].map((path) => ({ type: 'directory', path, oid: COMMIT, size: 0 })),
      ...[...files].map(([path, bytes]) => treeEntry(path, bytes)),
    ];
    const next = begin + this.pageSize;
    at.searchParams.set('cursor', String(next));
    return json(entries.slice(begin, next), next < entries.length ? { link: `<${at}>; rel="next"` } : {});
  }

  #resolve({ files, gatedFor }: LoopbackRepo, commit: string, path: string, seen: Seen): Answer {
    const bytes = files.get(path);
    if (gatedFor !== undefined && seen.authorization !== `Bearer ${gatedFor}`) {
      return refusal(seen.authorization ? 403 : 401, 'GatedRepo');
    }
    if (!bytes) return refusal(404, 'EntryNotFound');
    const headers = { 'x-repo-commit': commit };
    if (!isLarge(path)) return range(seen, bytes, { ...headers, etag: `"${gitHash(bytes)}"` });
    const linked = { 'x-linked-etag': `"${sha256(bytes)}"`, 'x-linked-size': bytes.byteLength };
    const location = `${this.cdn}/blobs/${sha256(bytes)}?signature=${this.seen.length}`;
    return { status: 302, headers: { ...headers, ...linked, location, 'content-length': 0 } };
  }

  #blob(seen: Seen): Answer {
    const hash = seen.url.split(/[/?]/)[2];
    const all = [...this.repos.values()].flatMap(({ files }) => [...files.values()]);
    const bytes = all.find((each) => sha256(each) === hash);
    return bytes ? range(seen, bytes, { etag: `"cdn-${hash!.slice(0, 8)}"` }) : { status: 404 };
  }
}

export function treeEntry(path: string, bytes: Uint8Array) {
  const size = bytes.byteLength;
  if (!isLarge(path)) return { type: 'file', path, oid: gitHash(bytes), size };
  const pointer = new TextEncoder().encode(`pointer of ${sha256(bytes)}`);
  return { type: 'file', path, oid: gitHash(pointer), size, lfs: { oid: sha256(bytes), size, pointerSize: 130 } };
}

function refusal(status: number, code: string): Answer {
  return { status, headers: { 'x-error-code': code, 'content-type': 'text/plain' }, body: 'no' };
}

function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

function range({ range: wanted, ifRange }: Seen, bytes: Uint8Array, headers: Record<string, string>): Answer {
  const asked = /^bytes=(\d+)-$/.exec(wanted ?? '');
  const begin = asked && (ifRange === undefined || ifRange === headers.etag) ? Number(asked[1]) : null;
  const size = bytes.byteLength;
  if (begin === null) return { status: 200, headers: { ...headers, 'content-length': size }, body: bytes };
  if (begin >= size) return { status: 416, headers: { 'content-range': `bytes */${size}` } };
  const body = bytes.subarray(begin);
  const contentRange = `bytes ${begin}-${size - 1}/${size}`;
  return {
    status: 206,
    headers: { ...headers, 'content-length': body.byteLength, 'content-range': contentRange },
    body,
  };
}
