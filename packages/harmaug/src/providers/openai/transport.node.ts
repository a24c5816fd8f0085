/** The transport on undici: connections kept open, as many as there are requests at once. */
import { Agent, type Dispatcher } from 'undici';
import { ProviderError } from '../../errors.ts';
import type { HttpReply, HttpRequest, Transport } from './transport.ts';

/** @param connections most a server gets; requests over that wait */
export function createTransport({ connections }: { readonly connections: number }): Transport {
  const agent = new Agent({
    connections,
    pipelining: 1,
    connectTimeout: 30_000,
    headersTimeout: 0, // each request has its own limit
    bodyTimeout: 0,
    keepAliveTimeout: 60_000,
  });
  return {
    post: (request) => exchange(agent, request),
    dispose: () => agent.destroy(),
  };
}

function exchange(agent: Agent, { url, headers, body, timeoutMs, maxBytes, signal }: HttpRequest): Promise<HttpReply> {
  const { origin, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let replyHeaders: Record<string, string | string[] | undefined> = {};
    let size = 0;
    const chunks: Buffer[] = [];
    let isDone = false;
    const finish = (settle: () => void) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: unknown) => finish(() => reject(error));
    const stop = (error: Error) => {
      fail(error);
      controller?.abort(error);
    };
    const onAbort = () => stop(signal!.reason);
    const timer = setTimeout(() => {
      const message = `${origin}${pathname} did not finish its reply within ${timeoutMs / 1000} s.`;
      stop(new ProviderError(message, { problem: 'timeout', isRetryable: true }));
    }, timeoutMs);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    agent.dispatch(
      { origin, path: pathname + search, method: 'POST', headers, body },
      {
        onRequestStart(given) {
          controller = given;
          if (isDone) given.abort(new Error('given up before it began'));
        },
        onResponseStart(_, statusCode, given) {
          status = statusCode;
          replyHeaders = given;
        },
        onResponseData(_, chunk) {
          size += chunk.length;
          if (size <= maxBytes) chunks.push(chunk);
          else stop(tooLarge(`${origin}${pathname}`, maxBytes));
        },
        onResponseEnd() {
          const header = (name: string) => {
            const value = replyHeaders[name];
            return Array.isArray(value) ? value[0] : value;
          };
          finish(() => resolve({ status, header, body: Buffer.concat(chunks).toString('utf8') }));
        },
        onResponseError(_, error) {
          fail(networkError(`${origin}${pathname}`, error));
        },
      },
    );
  });
}

function tooLarge(where: string, maxBytes: number): ProviderError {
  const message = `${where} sent more than ${maxBytes} bytes. No reply to our requests is that long; is it the right address?`;
  return new ProviderError(message, { problem: 'too-large', isRetryable: false });
}

const problems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections. Is the server running there?',
  ENOTFOUND: 'has no address. Is its name right?',
  UND_ERR_CONNECT_TIMEOUT: 'does not accept a connection.',
};

function networkError(where: string, error: Error): ProviderError {
  const { code } = error as { code?: string };
  const known = code === undefined ? undefined : problems[code];
  const reason = code ?? error.name;
  const message = `${where} ${known ?? `broke the connection (${reason}).`}`;
  const cause = new Error(reason); // not the error itself: a parser's error holds the bytes that it could not read
  return new ProviderError(message, { problem: 'network', isRetryable: true, cause });
}
