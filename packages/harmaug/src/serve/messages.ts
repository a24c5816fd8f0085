/** What the server and a worker process say to each other. */
import type { GuardAnswer, GuardOptions, GuardRequest } from '@harmaug/guard';

export interface LoadMessage {
  readonly kind: 'load';
  /** Folder, hub id or address. */
  readonly guard: string;
  readonly options: Omit<GuardOptions, 'signal' | 'onProgress'>;
}

export interface Question {
  readonly id: number;
  readonly request: GuardRequest;
}

export type ToWorker =
  | LoadMessage
  | { readonly kind: 'check'; readonly questions: readonly Question[] }
  /** These are no longer wanted. */
  | { readonly kind: 'abort'; readonly ids: readonly number[] };

export type FromWorker =
  | { readonly kind: 'ready'; readonly categories: readonly string[] }
  /** It could not load; one line. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: GuardAnswer }
  /** The guard failed at this one; the class alone, since a message may hold anything. */
  | { readonly kind: 'error'; readonly id: number; readonly name: string };
