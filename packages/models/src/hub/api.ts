import { HubError } from './errors.ts';
import { answerError, send, withRetries } from './http.ts';
import { asked, type Hub } from './hub.ts';
import { type HubId, isCommit } from './id.ts';
import { MAX_FILES, type RepoFile, readTreeEntry } from './listing.ts';

/**
 * The hub's two questions: which commit a revision is, and which files a commit has. @huggingface/hub knows how to ask;
 * the asking itself is ours, so that it is retried, limited and authorised in one way. The library never sees the token.
 */

const MAX_ANSWER_BYTES = 16 * 2 ** 20; // a page of the listing has 1000 entries, some 300 kB
const MAX_PAGES = 1000;

/** @throws HubError */
export async function resolveCommit(hub: Hub, id: HubId): Promise<string> {
  const { modelInfo, datasetInfo } = await import('@huggingface/hub');
  const question = {
    name: id.repo,
    revision: id.revision,
    additionalFields: ['sha' as const],
    hubUrl: hub.endpoint,
    fetch: fetchJson(hub, id, 'object'),
  };
  const { sha } = await (id.kind === 'model' ? modelInfo(question) : datasetInfo(question));
  if (typeof sha === 'string' && isCommit(sha)) return sha;
  throw answerError(hostOf(hub), 'answers without the commit of the revision');
}

/** Every file of a commit. @throws HubError */
export async function listFiles(hub: Hub, id: HubId, commit: string): Promise<RepoFile[]> {
  const library = await import('@huggingface/hub');
  const files: RepoFile[] = [];
  const entries = library.listFiles({
    repo: { type: id.kind, name: id.repo },
    revision: commit,
    recursive: true,
    hubUrl: hub.endpoint,
    fetch: fetchJson(hub, id, 'array'),
  });
  for await (const entry of entries) {
    const file = readTreeEntry(entry);
    if (typeof file === 'string') throw answerError(hostOf(hub), `${file} (in ${id.repo})`);
    if (file !== null) files.push(file);
    if (files.length > MAX_FILES) {
      throw new HubError('answer', `${id.repo} has more than ${MAX_FILES} files, the most we read a listing of.`);
    }
  }
  return files;
}

const hostOf = ({ endpoint }: Hub) => new URL(endpoint).host;

/** A fetch that gives JSON of the expected kind, or throws HubError. */
function fetchJson(hub: Hub, id: HubId, expected: 'object' | 'array'): typeof globalThis.fetch {
  let pages = 0;
  return async (input) => {
    pages += 1;
    if (pages > MAX_PAGES) throw answerError(hostOf(hub), `lists ${id.repo} on more than ${MAX_PAGES} pages`);
    return withRetries(hub, async () => {
      const reply = await send(hub, asked(hub, id), String(input), { accept: 'application/json' });
      try {
        const parts: Uint8Array[] = [];
        let sizeBytes = 0;
        for await (const part of reply.chunks()) {
          sizeBytes += part.byteLength;
          if (sizeBytes > MAX_ANSWER_BYTES) throw answerError(hostOf(hub), 'answers with more than 16 MB of JSON');
          parts.push(part);
        }
        const text = await new Blob(parts as Uint8Array<ArrayBuffer>[]).text();
        if (kindOf(text) !== expected) throw answerError(hostOf(hub), 'answers with something that is not its JSON');
        const link = reply.response.headers.get('link');
        return new Response(text, link === null ? {} : { headers: { link } });
      } finally {
        reply.close();
      }
    });
  };
}

function kindOf(text: string): 'object' | 'array' | 'other' {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return 'array';
    return typeof value === 'object' && value !== null ? 'object' : 'other';
  } catch {
    return 'other';
  }
}
