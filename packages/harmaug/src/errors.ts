/** What can go wrong between us and a model. Messages name ids, places and numbers, never a text that a model wrote. */

export type ProviderProblem =
  /** No connection, or one that broke. */
  | 'network'
  | 'timeout'
  /** An answer with an error status. */
  | 'status'
  /** The server is there and asks for less: 429, or 503 with Retry-After. */
  | 'overload'
  /** An answer that is not what the interface says. */
  | 'format'
  /** More bytes than any answer to our requests has. */
  | 'too-large'
  /** A text longer than the model can read. */
  | 'too-long'
  /** Something this server or model cannot do. */
  | 'unsupported';

export interface ProviderErrorDetails {
  readonly problem: ProviderProblem;
  /** Whether asking again may help. */
  readonly isRetryable: boolean;
  readonly status?: number;
  /** How long the server asked us to wait. */
  readonly retryAfterMs?: number;
  /** Every failure that led here, the first one first. */
  readonly causes?: readonly Error[];
  readonly cause?: unknown;
}

/** A call that failed. `isRetryable` says whether another attempt could succeed. */
export class ProviderError extends Error {
  override name = 'ProviderError';
  readonly problem: ProviderProblem;
  readonly isRetryable: boolean;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly Error[];

  constructor(message: string, details: ProviderErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.problem = details.problem;
    this.isRetryable = details.isRetryable;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.causes = details.causes ?? [];
  }
}

/** One line about any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
