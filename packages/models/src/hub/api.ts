import { HubError } from './errors.ts';
import { answerError, send, withRetries } from './http.ts';
import { asked, type Hub } from './hub.ts';
import { type HubId, isCommit } from './id.ts';
import { MAX_FILES, type RepoFile, readTreeEntry } from './listing.ts';

/** The hub's two questions: which commit a revision is, and which files a commit has. */

const MAX_ANSWER_BYTES = 16 * 2 ** 20; // a page of the listing has 1000 entries, some 300 kB
const MAX_PAGES = 1000;

/** Where the hub answers about a repository; `/revision/…` and `/tree/…` follow. */
export function apiAddress(endpoint: string, { kind, repo }: HubId): string {
  return `${endpoint}/api/${kind}s/${repo}`;
}

/** The commit in an answer about a revision. @throws HubError when there is none */
export function readCommit(answer: unknown, endpoint: string): string {
  const { sha } = (answer ?? {}) as { sha?: unknown };
  if (typeof sha === 'string' && isCommit(sha)) return sha;
  throw answerError(new URL(endpoint).host, 'answers without the commit of the revision');
}

/** @throws HubError */
export async function resolveCommit(hub: Hub, id: HubId): Promise<string> {
  const url = `${apiAddress(hub.endpoint, id)}/revision/${encodeURIComponent(id.revision)}?expand=sha`;
  return readCommit((await askJson(hub, id, url, 'object')).value, hub.endpoint);
}

/** Every file of a commit. @throws HubError */
export async function listFiles(hub: Hub, id: HubId, commit: string): Promise<RepoFile[]> {
  const host = hostOf(hub);
  const files: RepoFile[] = [];
  let next: string | null = `${apiAddress(hub.endpoint, id)}/tree/${commit}?recursive=true`;
  for (let pages = 1; next !== null; pages++) {
    if (pages > MAX_PAGES) throw answerError(host, `lists ${id.repo} on more than ${MAX_PAGES} pages`);
    const page = await askJson(hub, id, next, 'array');
    for (const entry of page.value as unknown[]) {
      const file = readTreeEntry(entry);
      if (typeof file === 'string') throw answerError(host, `${file} (in ${id.repo})`);
      if (file !== null) files.push(file);
      if (files.length > MAX_FILES) {
        throw new HubError('answer', `${id.repo} has more than ${MAX_FILES} files, the most we read a listing of.`);
      }
    }
    next = nextPage(page.link, hub);
  }
  return files;
}

const hostOf = ({ endpoint }: Hub) => new URL(endpoint).host;

/** From `Link: <…>; rel="next"` (RFC 8288). @throws HubError for a page somewhere else */
function nextPage(link: string | null, hub: Hub): string | null {
  const [, target] = /<([^<>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '') ?? [];
  if (target === undefined) return null;
  const url = URL.canParse(target, hub.endpoint) ? new URL(target, hub.endpoint) : null;
  if (url?.origin === new URL(hub.endpoint).origin) return url.href;
  throw answerError(hostOf(hub), 'continues its listing at another address');
}

interface JsonAnswer {
  readonly value: unknown;
  readonly link: string | null;
}

/** JSON of the expected kind. @throws HubError */
function askJson(hub: Hub, id: HubId, url: string, expected: 'object' | 'array'): Promise<JsonAnswer> {
  return withRetries(hub, async () => {
    const reply = await send(hub, asked(hub, id), url, { accept: 'application/json' });
    try {
      const parts: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const part of reply.chunks()) {
        sizeBytes += part.byteLength;
        if (sizeBytes > MAX_ANSWER_BYTES) throw answerError(hostOf(hub), 'answers with more than 16 MB of JSON');
        parts.push(part);
      }
      const value = parseJson(await new Blob(parts as Uint8Array<ArrayBuffer>[]).text());
      if (kindOf(value) !== expected) throw answerError(hostOf(hub), 'answers with something that is not its JSON');
      return { value, link: reply.response.headers.get('link') };
    } finally {
      reply.close();
    }
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): 'object' | 'array' | 'other' {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' && value !== null ? 'object' : 'other';
}
