/** What a request gets in place of an answer, in the shape that OpenAI's clients read. No message holds a text of the request. */

export interface ApiErrorOptions {
  /** For programs: `queue_full`. */
  readonly code: string;
  /** Which field of the body is meant. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, { code, param, headers = {} }: ApiErrorOptions) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param ?? null;
    this.headers = headers;
  }

  toResponse(): Response {
    const type = types.find(([from]) => this.status >= from)![1];
    const error = { message: this.message, type, param: this.param, code: this.code };
    return Response.json({ error }, { status: this.status, headers: this.headers });
  }
}

/** OpenAI's names, by the status from which they hold. */
const types: readonly (readonly [number, string])[] = [
  [500, 'server_error'],
  [402, 'invalid_request_error'],
  [401, 'authentication_error'],
  [400, 'invalid_request_error'],
];

/** A request refused because others come first. */
export function refused(code: 'queue_full' | 'waited_too_long' | 'stopping', retryAfterSeconds: number): ApiError {
  const messages = {
    queue_full: 'The queue is full',
    waited_too_long: 'The request waited too long for its turn',
    stopping: 'The server is stopping',
  };
  const message = `${messages[code]}. Ask again in ${retryAfterSeconds} s.`;
  return new ApiError(503, message, { code, headers: { 'retry-after': String(retryAfterSeconds) } });
}
