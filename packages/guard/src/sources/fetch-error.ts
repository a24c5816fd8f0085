/** Why a file at an address could not be had. */
export class FetchError extends Error {
  override name = 'FetchError';
  /** Of the file, without query. */
  readonly url: string;
  /** Of the HTTP answer, where there was one. */
  readonly status: number | undefined;

  constructor(message: string, url: string, details: { status?: number; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.url = url;
    this.status = details.status;
  }
}
