import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from 'onnx-grad';
import { DEFAULT_ENDPOINT, readEndpoint } from './endpoint.ts';
import type { Hub, HubOptions } from './hub.ts';
import { defaultPolicy, type HubPolicy } from './retry.ts';

/** Where the hub, its cache and the token are, by the environment variables of Python's huggingface_hub. */

type Env = Readonly<Record<string, string | undefined>>;

const systemClock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    sleep(ms, undefined, signal ? { signal } : {}).catch((error) => {
      throw signal?.aborted ? signal.reason : error;
    }),
};

/** @throws ConfigError for an endpoint that is no web address, a token with characters that none has */
export function openHub(options: HubOptions = {}, policy: HubPolicy = defaultPolicy): Hub {
  const env = options.env ?? process.env;
  return {
    endpoint:
      options.endpoint === undefined
        ? readEndpoint(env.HF_ENDPOINT || DEFAULT_ENDPOINT, 'HF_ENDPOINT')
        : readEndpoint(options.endpoint, 'endpoint'),
    token: readToken(env),
    cache: path.resolve(options.cache ?? cacheFolder(env)),
    isOffline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    fetch: options.fetch ?? globalThis.fetch,
    clock: options.clock ?? systemClock,
    policy,
    signal: options.signal,
    onProgress: options.onProgress ?? (() => undefined),
    onNotice: options.onNotice ?? (() => undefined),
  };
}

function home(env: Env): string {
  const caches = env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return expand(env.HF_HOME || path.join(caches, 'huggingface'));
}

function cacheFolder(env: Env): string {
  return expand(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || path.join(home(env), 'hub'));
}

function readToken(env: Env): string | null {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return null;
  const [token, where] = [env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN, 'HF_TOKEN'];
  if (token !== undefined && token.trim() !== '') return checkToken(token, where);
  const file = expand(env.HF_TOKEN_PATH || path.join(home(env), 'token'));
  try {
    const saved = readFileSync(file, 'utf8');
    return saved.trim() === '' ? null : checkToken(saved, file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return null; // not there, or not for us to read
  }
}

function checkToken(text: string, where: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new ConfigError(`${where} does not hold a token: there are spaces, line breaks or other characters inside.`);
}

function expand(folder: string): string {
  return folder === '~' || /^~[/\\]/.test(folder) ? path.join(homedir(), folder.slice(1)) : folder;
}

function isTrue(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? '');
}
