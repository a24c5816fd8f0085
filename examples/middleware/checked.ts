/** What the examples share: a guard of either kind, what is thrown at something unsafe, and a stream that is checked on its way. */
import type { GuardAnswer, GuardApi } from '@harmaug/guard';

/** A guard in this process (`Guard.load`), or behind `harmaug serve` (served-guard.ts). */
export type AnyGuard = Pick<GuardApi, 'check' | 'stream'>;

export class UnsafeError extends Error {
  override name = 'UnsafeError';
  readonly where: 'prompt' | 'response';
  readonly answer: GuardAnswer;

  constructor(where: 'prompt' | 'response', answer: GuardAnswer) {
    super(`The ${where} is unsafe.`);
    this.where = where;
    this.answer = answer;
  }
}

/** Of the middlewares of Express, Hono and Fastify. */
export interface GuardBodyOptions<Body> {
  readonly guard: AnyGuard;
  /** What of the body is to be checked. */
  readonly promptOf: (body: Body) => string;
}

/** @throws UnsafeError */
export async function expectSafe(guard: AnyGuard, prompt: string, response?: string): Promise<void> {
  const answer = await guard.check(response === undefined ? { prompt } : { prompt, response });
  if (answer.verdict === 'unsafe') throw new UnsafeError(response === undefined ? 'prompt' : 'response', answer);
}

/**
 * The chunks of a reply, each held back until what it belongs to was found safe: nobody sees the unsafe part.
 * Leaving early, or an unsafe reply, ends the source too.
 * @param textOf the reply's text in a chunk, "" for chunks without
 * @throws UnsafeError when the reply turns unsafe
 */
export async function* checkedChunks<Chunk>(
  guard: AnyGuard,
  prompt: string,
  chunks: AsyncIterable<Chunk>,
  textOf: (chunk: Chunk) => string,
): AsyncGenerator<Chunk> {
  const stream = guard.stream({ prompt });
  let held: Chunk[] = [];
  for await (const chunk of chunks) {
    held.push(chunk);
    const text = textOf(chunk);
    const answer = text === '' ? null : await stream.push(text);
    if (answer === null) continue; // too little is new
    if (answer.verdict === 'unsafe') throw new UnsafeError('response', answer);
    yield* held;
    held = [];
  }
  const answer = await stream.end();
  if (answer.verdict === 'unsafe') throw new UnsafeError('response', answer);
  yield* held;
}

/** What is generated, as a stream; cancelling it ends the generator. */
export function toStream<Part>(parts: AsyncGenerator<Part>): ReadableStream<Part> {
  return new ReadableStream<Part>(
    {
      async pull(stream) {
        const { done, value } = await parts.next();
        if (done) stream.close();
        else stream.enqueue(value);
      },
      async cancel() {
        await parts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
