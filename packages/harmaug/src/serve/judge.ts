/** What the server asks: guards, wherever they run. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';

export interface Judge {
  /** The hazards that its guard tells apart. */
  readonly categories: readonly string[];
  /** Whether a request would be answered now. */
  readonly isReady: boolean;
  /**
   * In the order of the requests.
   * @throws ApiError 503 for a queue that is full, or a turn that came too late; 502 for a worker that was lost;
   * the signal's reason when it is aborted
   */
  check(requests: readonly GuardRequest[], signal: AbortSignal): Promise<GuardAnswer[]>;
}
