/** `harmaug serve`: a guard behind HTTP, until Ctrl-C or SIGTERM. SIGHUP loads guard and keys anew. */
import os from 'node:os';
import path from 'node:path';
import { type Dtype, dtypes } from '@harmaug/guard';
import { KEYS_VARIABLE, readKeys } from '../serve/keys.node.ts';
import { createLog, type LogLevel, logLevels } from '../serve/log.ts';
import { type ServeOptions, startServer } from '../serve/server.node.ts';
import { defineCommand } from './command.node.ts';
import { type FlagValues, UsageError } from './flags.node.ts';

const flags = {
  host: { kind: 'text', value: '<address>', help: 'where to listen; 127.0.0.1, this machine alone' },
  port: { kind: 'number', help: '8080; 0: any that is free' },
  name: { kind: 'text', value: '<name>', help: 'the guard’s name in answers; its folder’s' },
  workers: { kind: 'number', help: 'processes with a guard each; one a core, at most 4' },
  threads: { kind: 'number', help: 'of the CPU, for each worker; the cores shared out' },
  dtype: { kind: 'text', value: '<name>', help: 'which of the exported models; the smallest', choices: dtypes },
  threshold: { kind: 'number', help: 'score from which a text counts as unsafe; the guard’s own' },
  maxLength: { kind: 'number', help: 'tokens of a window; what the model has positions for, at most 512' },
  normalise: { kind: 'flag', help: 'undo invisible and look-alike characters first' },
  literal: { kind: 'flag', help: 'do not score what looks encoded in its decoded form too' },
  maxItems: { kind: 'number', help: 'texts or exchanges of a request; 256' },
  maxCharacters: { kind: 'number', help: 'of a prompt or a response; 100000' },
  maxBody: { kind: 'number', help: 'bytes of a request; 1048576' },
  maxQueue: { kind: 'number', help: 'texts or exchanges that may wait, and requests at once; 1024' },
  maxWait: { kind: 'number', help: 'seconds a request may wait for its turn; 5' },
  timeout: { kind: 'number', help: 'seconds until an answer; 60' },
  drain: { kind: 'number', help: 'seconds for what is left when it is stopped; 30' },
  apiKeyFile: { kind: 'text', value: '<file>', help: `API keys, one a line; also those in ${KEYS_VARIABLE}` },
  withoutKeys: { kind: 'flag', help: 'let everyone in on an address that others can reach' },
  log: { kind: 'text', help: 'JSON lines on stderr, without texts; requests', choices: logLevels },
} as const;

export const serveCommand = defineCommand({
  summary: 'answer over HTTP: OpenAI’s moderations, checks, scores',
  positional: ['<folder>'],
  flags,
  notes: `POST /v1/moderations, as OpenAI's: a string, an array, parts of type "text"
POST /v1/check        {"prompt", "response"?} or {"items": […]}: score, verdict, place in the text
POST /v1/score        {"items": […]}: scores alone
GET  /healthz /readyz /metrics /openapi.json

SIGTERM or Ctrl-C: what is there is answered, what is new is refused. SIGHUP: guard and keys are loaded anew.

  harmaug serve guard --port 8080
  HARMAUG_API_KEYS=… harmaug serve guard --host 0.0.0.0`,

  async run(values, io, [folder]) {
    const drainMs = 1000 * number(values, 'drain', 30, { least: 0 });
    const options = serveOptions(folder!, values, io.env, io.say);
    const server = await startServer(options);
    let reloading: Promise<unknown> = Promise.resolve();
    const reload = () => {
      reloading = reloading.then(() => server.reload());
    };
    process.on('SIGHUP', reload);
    try {
      await new Promise<void>((resolve) => {
        if (io.signal.aborted) resolve();
        else io.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      process.off('SIGHUP', reload);
      await server.stop(drainMs);
    }
    return { json: { guard: folder, requests: server.requests() }, text: '' };
  },
});

type Values = FlagValues<typeof flags>;
type NumberFlag = { [Name in keyof Values]: Values[Name] extends number | undefined ? Name : never }[keyof Values];

/** @throws UsageError for a number out of range, or an open address without keys */
export function serveOptions(
  folder: string,
  values: Values,
  env: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void,
): ServeOptions {
  const cores = os.availableParallelism();
  const workers = number(values, 'workers', Math.min(cores, 4), { isWhole: true });
  const maxQueue = number(values, 'maxQueue', 1024, { isWhole: true });
  const host = values.host ?? '127.0.0.1';
  const keys = () => readKeys(env, values.apiKeyFile);
  if (!isLoopback(host) && !values.withoutKeys && keys().length === 0) {
    throw new UsageError(
      `--host ${host}: others can reach it. Set ${KEYS_VARIABLE} or --api-key-file, or let everyone in: --without-keys.`,
    );
  }
  return {
    guard: folder,
    host,
    port: number(values, 'port', 8080, { isWhole: true, least: 0, most: 65_535 }),
    name: values.name ?? nameOf(folder),
    workers,
    guardOptions: {
      threads: number(values, 'threads', Math.max(1, Math.floor(cores / workers)), { isWhole: true }),
      ...(values.literal ? { views: false } : {}),
      ...(values.normalise ? { normalise: true } : {}),
      ...(values.dtype === undefined ? {} : { dtype: values.dtype as Dtype }),
      ...(values.threshold === undefined ? {} : { threshold: values.threshold }),
      ...(values.maxLength === undefined ? {} : { maxLength: values.maxLength }),
    },
    maxQueue,
    maxWaitMs: 1000 * number(values, 'maxWait', 5, { least: 0.001 }),
    limits: {
      maxItems: number(values, 'maxItems', 256, { isWhole: true }),
      maxCharacters: number(values, 'maxCharacters', 100_000, { isWhole: true }),
      maxBodyBytes: number(values, 'maxBody', 2 ** 20, { isWhole: true }),
      maxOpen: maxQueue,
      timeoutMs: 1000 * number(values, 'timeout', 60, { least: 0.001, most: 86_400 }),
    },
    readKeys: keys,
    log: createLog((values.log ?? 'requests') as LogLevel, write),
  };
}

interface Range {
  readonly isWhole?: boolean;
  readonly least?: number;
  readonly most?: number;
}

function number(values: Values, name: NumberFlag, usual: number, range: Range = {}): number {
  const { isWhole = false, least = 1, most = 1e9 } = range;
  const value = values[name] ?? usual;
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(`${flag}: expected a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}, got ${value}.`);
}

/** A name that leads to this machine alone. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The folder's last part, or the hub id, without a revision. */
function nameOf(guard: string): string {
  const isPath = /^(\.|\/|[a-z]:\\|https?:)/i.test(guard) || guard.split('/').length !== 2;
  return isPath ? path.basename(guard.replace(/[?#].*$/, '').replace(/\/+$/, '')) : guard.replace(/@.*$/, '');
}
