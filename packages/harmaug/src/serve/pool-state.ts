/** What a pool of workers tells of itself. */

export type PoolEvent =
  | { readonly event: 'worker-ready'; readonly pid: number; readonly ms: number }
  | { readonly event: 'worker-lost'; readonly pid: number; readonly how: string }
  /** It could not be started again; another attempt follows. */
  | { readonly event: 'worker-failed'; readonly reason: string; readonly retryMs: number };

export interface PoolState {
  readonly waiting: number;
  readonly inWork: number;
  readonly ready: number;
  readonly lost: number;
}
