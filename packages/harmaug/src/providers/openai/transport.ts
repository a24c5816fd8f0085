/** One HTTP exchange, as the client needs it: given in, so that tests and other runtimes bring their own. */

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Until the whole reply is there. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

export interface Transport {
  /**
   * Posts and waits for the whole reply, whatever its status.
   * @throws ProviderError 'network', 'timeout' or 'too-large'; the signal's reason when aborted
   */
  post(request: HttpRequest): Promise<HttpReply>;
  dispose(): Promise<void>;
}
