import { formatHubId, type HubId, pagePath } from './id.ts';

/** Why the hub does not give what was asked for, in a sentence with the remedy. */

export type HubProblem =
  /** Private, gated, or a token that is not accepted. */
  | 'denied'
  /** No such repository, revision or file. */
  | 'missing'
  /** Too many requests, or a fault of the hub's own, even after several attempts. */
  | 'busy'
  /** No connection, or one that broke off, even after several attempts. */
  | 'unreachable'
  /** HF_HUB_OFFLINE is set and the cache lacks it. */
  | 'offline'
  /** An answer that is not what the hub's should be. */
  | 'answer'
  /** Bytes that are not those the hub's listing promises. */
  | 'damaged'
  /** The cache cannot take it. */
  | 'disk';

interface Details {
  readonly status?: number;
  readonly isRetryable?: boolean;
  /** What the server asks to wait before the next attempt. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export class HubError extends Error {
  override name = 'HubError';
  readonly problem: HubProblem;
  /** Of the HTTP answer, where there was one. */
  readonly status: number | undefined;
  /** Whether asking again may help. */
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(problem: HubProblem, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.problem = problem;
    this.status = details.status;
    this.isRetryable = details.isRetryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What a request is for. */
export interface Asked {
  readonly endpoint: string;
  readonly hasToken: boolean;
  readonly id: HubId;
  /** Of the repository; absent when the repository itself is asked about. */
  readonly file?: string;
}

/** An answer of the hub itself that is no success. @param retryAfterMs what it asks to wait */
export function errorOfStatus(response: Response, asked: Asked, retryAfterMs: number | undefined): HubError {
  const { status, headers } = response;
  const host = new URL(asked.endpoint).host;
  if (status === 429) {
    const remedy = asked.hasToken ? 'Try again later.' : 'Try again later, or set HF_TOKEN, which raises the limit.';
    const message = `${host} takes no more requests for now (429). ${remedy}`;
    return new HubError('busy', message, { status, isRetryable: true, retryAfterMs });
  }
  if (status === 408 || status >= 500) {
    const message = `${host} answers ${status}, a fault of its own. Try again later; what was fetched is kept.`;
    return new HubError('busy', message, { status, isRetryable: true, retryAfterMs });
  }
  const code = headers.get('x-error-code') ?? '';
  const isBadToken = /invalid credentials/i.test(headers.get('x-error-message') ?? '');
  if (status === 401 || status === 403) return new HubError('denied', denied(asked, code, isBadToken), { status });
  if (status === 404) return new HubError('missing', missing(asked, code, host), { status });
  const message = `${host} answers ${status}, which is not expected. Is HF_ENDPOINT a hub of Hugging Face’s kind?`;
  return new HubError('answer', message, { status });
}

function denied(asked: Asked, code: string, isBadToken: boolean): string {
  const { endpoint, id, hasToken } = asked;
  const page = `${endpoint}/${pagePath(id)}`;
  const host = new URL(endpoint).host;
  if (isBadToken)
    return `${host} does not accept the token in HF_TOKEN. Make a new one at ${endpoint}/settings/tokens.`;
  if (code === 'GatedRepo' || (hasToken && code !== 'RepoNotFound')) {
    const token = hasToken
      ? 'with the account whose token HF_TOKEN holds, which must be allowed to read it'
      : 'and set HF_TOKEN to a token of that account';
    return `${formatHubId(id)} is gated or private. Accept its licence at ${page} ${token}.`;
  }
  if (hasToken)
    return `${host} has no ${id.kind} ${formatHubId(id)} that the token in HF_TOKEN may read. Check the name.`;
  const remedy = `If it is private or gated, accept its licence at ${page} and set HF_TOKEN.`;
  return `${host} has no public ${id.kind} ${formatHubId(id)}. Check the name. ${remedy}`;
}

function missing({ endpoint, id, file }: Asked, code: string, host: string): string {
  const name = formatHubId(id);
  if (code === 'RevisionNotFound') {
    const list = `${endpoint}/${pagePath(id)}/tree/main`;
    return `${pagePath(id)} has no revision "${id.revision}". Its branches and tags are listed at ${list}.`;
  }
  if (file !== undefined && code !== 'RepoNotFound') return `${name} has no file ${file}.`;
  return `${host} has no ${id.kind} ${name}. Check the name.`;
}
