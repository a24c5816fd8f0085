import { type Asked, errorOfStatus, HubError } from './errors.ts';
import type { Hub } from './hub.ts';
import { nextWaitMs, readRetryAfter } from './retry.ts';

/**
 * Requests to the hub and to where it sends one. Redirects are followed by hand: the token goes to the hub alone, and
 * never again once a redirect has left it.
 */

const MAX_REDIRECTS = 8;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface Reply {
  /** A success, or 416. */
  readonly response: Response;
  /** Headers of the hub's own last answer: what it says of the file, wherever the bytes come from. */
  readonly hubHeaders: Headers;
  /** The body in pieces. @throws HubError when it breaks off or stands still */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Ends the exchange; needed in every case. */
  close(): void;
}

/**
 * One attempt.
 * @throws HubError for no connection, no answer in time, redirects that lead nowhere, and every status but success and 416
 */
export async function send(
  hub: Hub,
  asked: Asked,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const stop = new AbortController();
  const signal = hub.signal ? AbortSignal.any([hub.signal, stop.signal]) : stop.signal;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const within = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new Error(`no answer within ${ms / 1000} s`)), ms);
  };
  const { fetch } = hub;
  const home = new URL(hub.endpoint);
  let at = new URL(url);
  let isAtHome = at.origin === home.origin;
  let hubHeaders = new Headers();
  try {
    for (let redirects = 0; ; redirects++) {
      within(hub.policy.answerTimeoutMs);
      const authorization = isAtHome && hub.token !== null ? { authorization: `Bearer ${hub.token}` } : {};
      const response = await reach(hub, at, () =>
        fetch(at, { headers: { ...headers, ...authorization }, redirect: 'manual', signal }),
      );
      if (isAtHome) hubHeaders = response.headers;
      if (!REDIRECTS.includes(response.status)) {
        if (!response.ok && response.status !== 416) throw await refusal(hub, response, asked, at, isAtHome);
        clearTimeout(timer);
        const read = readerOf(response, () => within(hub.policy.idleTimeoutMs));
        return {
          response,
          hubHeaders,
          async *chunks() {
            for (;;) {
              const { done, value } = await reach(hub, at, read);
              clearTimeout(timer); // what the reader of these bytes does takes its own time
              if (done) return;
              yield value;
            }
          },
          close() {
            clearTimeout(timer);
            stop.abort();
          },
        };
      }
      await response.body?.cancel();
      if (redirects === MAX_REDIRECTS) throw answerError(home.host, `sends one in a circle (${redirects} redirects)`);
      const next = nextPlace(response, at);
      if (next === null)
        throw answerError(at.host, 'redirects to something that is no web address, or from https to http');
      isAtHome &&= next.origin === home.origin;
      at = next;
    }
  } catch (error) {
    clearTimeout(timer);
    throw error;
  }
}

function nextPlace(response: Response, from: URL): URL | null {
  const location = response.headers.get('location');
  if (location === null || !URL.canParse(location, from)) return null;
  const next = new URL(location, from);
  const isWeb = next.protocol === 'https:' || (next.protocol === 'http:' && from.protocol === 'http:');
  return isWeb && next.username === '' && next.password === '' ? next : null;
}

/** A status that is no success: of the hub, with what it means for what was asked; of another host, worth another try. */
async function refusal(hub: Hub, response: Response, asked: Asked, at: URL, isAtHome: boolean): Promise<HubError> {
  await response.body?.cancel().catch(() => undefined);
  const { status, headers } = response;
  const retryAfterMs = readRetryAfter(headers, hub.clock.now());
  if (isAtHome) return errorOfStatus(response, asked, retryAfterMs);
  const message = `${at.host}, where the hub keeps the file, answers ${status}. Try again later; what was fetched is kept.`;
  return new HubError('busy', message, { status, isRetryable: true, retryAfterMs });
}

/** The body's next piece, each time it is called. */
function readerOf(response: Response, onRead: () => void) {
  const reader = response.body?.getReader();
  return async () => {
    onRead();
    return reader ? reader.read() : { done: true as const, value: undefined };
  };
}

/** What fetch throws, as ours. */
async function reach<T>(hub: Hub, { host }: URL, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (hub.signal?.aborted) throw hub.signal.reason;
    const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    const { code, message } = inner as { code?: unknown; message?: unknown };
    const why = typeof code === 'string' ? code : String(message);
    const remedy =
      'Are you online? HF_ENDPOINT names a mirror; behind a proxy set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY.';
    throw new HubError('unreachable', `${host} cannot be reached (${why}). ${remedy}`, { isRetryable: true, cause });
  }
}

export function answerError(host: string, problem: string): HubError {
  const remedy = 'Is there a proxy or a login page in between, or does HF_ENDPOINT name something else?';
  return new HubError('answer', `${host} ${problem}. ${remedy}`);
}

/** Runs until it succeeds, fails for good, or has failed too often. */
export async function withRetries<T>(hub: Hub, run: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await run();
    } catch (error) {
      await waitOrThrow(hub, error, failures);
    }
  }
}

/** Waits before the next attempt. @throws the error when there is none */
export async function waitOrThrow(hub: Hub, error: unknown, failures: number): Promise<void> {
  const waitMs = nextWaitMs(error, failures, hub.policy);
  if (waitMs === null) throw error;
  const reason = (error as Error).message.split('. ')[0];
  hub.onNotice(`${reason}; trying again in ${Math.ceil(waitMs / 1000)} s`);
  await hub.clock.sleep(waitMs, hub.signal);
}
