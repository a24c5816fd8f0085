/** A guard in a repository of the Hugging Face hub, for runtimes without files: by commit, so that files belong together. */
import {
  apiAddress,
  DEFAULT_ENDPOINT,
  errorOfStatus,
  HubError,
  type HubId,
  isCommit,
  readCommit,
  readEndpoint,
} from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import type { HttpFolder, HttpOptions } from './http.ts';
import { noStamps } from './store.ts';

export interface HubSettings {
  /** The hub's address, or a mirror's. Default: https://huggingface.co */
  readonly endpoint?: string;
  /** For private and gated repositories. Whoever opens the page can read it. */
  readonly token?: string;
}

/** @throws HubError for a repository or revision that is not there or not for us; ConfigError for a data set's id */
export async function hubFolder(id: HubId, settings: HubSettings, options: HttpOptions): Promise<HttpFolder> {
  if (id.kind === 'dataset') throw new ConfigError(`${id.repo} is a data set. Expected a model.`);
  const endpoint = readEndpoint(settings.endpoint ?? DEFAULT_ENDPOINT, 'hub.endpoint');
  const headers: Record<string, string> =
    settings.token === undefined ? {} : { authorization: `Bearer ${settings.token}` };
  const asked = { endpoint, hasToken: settings.token !== undefined, id };
  const refusal = (response: Response, file?: string): HubError =>
    errorOfStatus(response, file === undefined ? asked : { ...asked, file }, undefined);
  const question = `${apiAddress(endpoint, id)}/revision/${encodeURIComponent(id.revision)}?expand=sha`;
  const known = isCommit(id.revision) ? null : await keptCommit(question, options);
  const commit = isCommit(id.revision)
    ? id.revision
    : await askCommit(question, endpoint, headers, refusal, options).catch((error: unknown) => {
        if (known !== null && error instanceof HubError && error.problem === 'unreachable') return known;
        throw error;
      });
  const baseOf = (of: string): string => `${endpoint}/${id.repo}/resolve/${of}/`;
  return {
    base: baseOf(commit),
    headers,
    isFixed: true,
    refusal,
    async onKept(store) {
      await store.keep(question, new TextEncoder().encode(JSON.stringify({ sha: commit })), noStamps);
      if (known !== null && known !== commit) await store.drop(baseOf(known));
    },
  };
}

async function askCommit(
  question: string,
  endpoint: string,
  headers: Record<string, string>,
  refusal: (response: Response) => HubError,
  { fetch, signal }: HttpOptions,
): Promise<string> {
  const request = { headers: { accept: 'application/json', ...headers }, ...(signal ? { signal } : {}) };
  const response = await fetch(question, request).catch((cause: Error) => {
    signal?.throwIfAborted();
    const { host } = new URL(endpoint);
    throw new HubError('unreachable', `${host} cannot be reached (${cause.message}). Are you online?`, { cause });
  });
  if (!response.ok) throw refusal(response);
  return readCommit(await response.json().catch(() => null), endpoint);
}

async function keptCommit(question: string, { store }: HttpOptions): Promise<string | null> {
  const kept = await store?.find(question);
  if (!kept?.read) return null;
  const { sha } = JSON.parse(new TextDecoder().decode(await kept.read())) as { sha: string };
  return sha;
}
