/** The guard of `harmaug serve`, as the other examples take it: the model runs elsewhere, and this process stays free. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import type { AnyGuard } from './checked.ts';

export interface ServedGuardOptions {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly apiKey?: string;
  readonly fetch?: typeof globalThis.fetch;
}

const EVERY_CHARACTERS = 128; // of a stream: some 32 tokens
const NEWEST_CHARACTERS = 1500; // of it, for each check but the last

export function servedGuard({ url, apiKey, fetch = globalThis.fetch }: ServedGuardOptions): AnyGuard {
  const check = async (request: GuardRequest, { signal }: { signal?: AbortSignal } = {}): Promise<GuardAnswer> => {
    const reply = await fetch(new URL('/v1/check', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body: JSON.stringify(request),
      ...(signal ? { signal } : {}),
    });
    if (!reply.ok) throw new Error(`The guard answered with status ${reply.status}.`); // unchecked is not safe
    return (await reply.json()) as GuardAnswer;
  };
  return {
    check,
    stream({ prompt }, options = {}) {
      let [response, fresh] = ['', 0];
      return {
        async push(chunk) {
          response += chunk;
          fresh += chunk.length;
          if (fresh < EVERY_CHARACTERS) return null;
          fresh = 0;
          return check({ prompt, response: response.slice(-NEWEST_CHARACTERS) }, options);
        },
        end: () => check({ prompt, response }, options),
      };
    },
  };
}
