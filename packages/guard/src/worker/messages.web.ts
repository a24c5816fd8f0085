/** What a page and a guard's worker say to each other, and errors on their way between them. */
import { HubError } from '@harmaug/models';
import { ConfigError, DeviceError, FormatError } from 'onnx-grad';
import type { GuardAnswer, GuardRequest } from '../guard.ts';
import type { LoadProgress } from '../load.ts';
import type { WebOptions } from '../load.web.ts';
import type { GuardSettings } from '../settings.ts';
import type { GuardFiles } from '../sources/blobs.ts';
import { FetchError } from '../sources/fetch-error.ts';
import type { StreamOptions } from '../stream.ts';

/** What can be asked of the worker: arguments and answer. */
export interface Calls {
  load: {
    args: [from: string | GuardFiles, options: Omit<WebOptions, 'signal' | 'onProgress'>];
    answer: GuardSettings;
  };
  check: { args: [request: GuardRequest]; answer: GuardAnswer };
  checkMany: { args: [requests: readonly GuardRequest[]]; answer: GuardAnswer[] };
  /** Opens the stream whose number is the call's own. It is there until it is dropped. */
  stream: { args: [request: Pick<GuardRequest, 'prompt'>, options: Omit<StreamOptions, 'signal'>]; answer: null };
  push: { args: [stream: number, chunk: string]; answer: GuardAnswer | null };
  end: { args: [stream: number]; answer: GuardAnswer };
  dispose: { args: []; answer: null };
}

export type CallName = keyof Calls;

type Call = {
  readonly [Name in CallName]: { readonly id: number; readonly call: Name; readonly args: Calls[Name]['args'] };
}[CallName];

/** A call; that one of this number should stop; that a stream is no longer wanted. */
export type ToWorker =
  | Call
  | { readonly id: number; readonly call: 'abort' }
  | { readonly id: number; readonly call: 'drop' };

export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: SentError }
  | { readonly id: number; readonly progress: LoadProgress };

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const FIELDS = ['file', 'field', 'problem', 'status', 'url'] as const;

/** How each class is made again; what has no row becomes an Error of that name. */
const classes: Readonly<Record<string, (message: string, fields: SentError['fields']) => Error>> = {
  ConfigError: (message) => new ConfigError(message),
  DeviceError: (message) => new DeviceError(message),
  FormatError: (message, fields) => new FormatError(message, fields),
  FetchError: (message, { url, ...fields }) => new FetchError(message, url as string, fields),
  HubError: (message, { problem, ...fields }) => new HubError(problem as HubError['problem'], message, fields),
};

export function sendError(error: unknown): SentError {
  const { name = 'Error', message = String(error) } = (error ?? {}) as Partial<Error>;
  const found = FIELDS.flatMap((field) => {
    const value = (error as Record<string, unknown> | null)?.[field];
    return typeof value === 'string' || typeof value === 'number' ? [[field, value]] : [];
  });
  return { name, message, fields: Object.fromEntries(found) };
}

export function receiveError({ name, message, fields }: SentError): Error {
  const make = Object.hasOwn(classes, name) ? classes[name] : undefined;
  return make ? make(message, fields) : Object.assign(new Error(message), { name });
}
