/**
 * A guard around a model of the AI SDK: unsafe prompts never reach it, unsafe replies never leave it, streamed ones included.
 *
 *   const model = wrapLanguageModel({ model: openai('…'), middleware: guardMiddleware({ guard }) });
 *   const { textStream } = streamText({ model, prompt });
 */
import type { LanguageModelMiddleware } from 'ai';
import { type AnyGuard, checkedChunks, expectSafe, toStream, UnsafeError } from './checked.ts';

export interface GuardMiddlewareOptions {
  readonly guard: AnyGuard;
  /** What stands in place of an unsafe reply, and after the safe beginning of a streamed one. */
  readonly refusal?: string;
}

type WrapGenerate = NonNullable<LanguageModelMiddleware['wrapGenerate']>;
type WrapStream = NonNullable<LanguageModelMiddleware['wrapStream']>;
type Generated = Awaited<ReturnType<WrapGenerate>>;
type Prompt = Parameters<WrapGenerate>[0]['params']['prompt'];
type Part = Awaited<ReturnType<WrapStream>>['stream'] extends ReadableStream<infer Of> ? Of : never;

const finishReason = { unified: 'content-filter', raw: 'guard' } as const;
const noUsage: Generated['usage'] = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

export function guardMiddleware(options: GuardMiddlewareOptions): LanguageModelMiddleware {
  const { guard, refusal = 'I cannot help with that.' } = options;
  return {
    specificationVersion: 'v4',
    async wrapGenerate({ doGenerate, params }) {
      const refused: Generated = {
        content: [{ type: 'text', text: refusal }],
        finishReason,
        usage: noUsage,
        warnings: [],
      };
      try {
        const prompt = lastUserText(params.prompt);
        await expectSafe(guard, prompt);
        const result = await doGenerate();
        const said = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
        if (said !== '') await expectSafe(guard, prompt, said);
        return result;
      } catch (error) {
        if (error instanceof UnsafeError) return refused;
        throw error;
      }
    },
    async wrapStream({ doStream, params }) {
      const prompt = lastUserText(params.prompt);
      try {
        await expectSafe(guard, prompt);
      } catch (error) {
        if (!(error instanceof UnsafeError)) throw error;
        return { stream: toStream(refusedParts(refusal)) };
      }
      const { stream, ...rest } = await doStream();
      return { ...rest, stream: toStream(checkedParts(guard, prompt, stream, refusal)) };
    },
  };
}

async function* checkedParts(
  guard: AnyGuard,
  prompt: string,
  stream: ReadableStream<Part>,
  refusal: string,
): AsyncGenerator<Part> {
  let open: string | null = null; // the text block that is being written
  try {
    for await (const part of checkedChunks(guard, prompt, stream, (one) =>
      one.type === 'text-delta' ? one.delta : '',
    )) {
      if (part.type === 'text-start') open = part.id;
      if (part.type === 'text-end') open = null;
      yield part;
    }
  } catch (error) {
    if (!(error instanceof UnsafeError)) throw error;
    if (open !== null) yield { type: 'text-end', id: open };
    yield* refusalParts(refusal);
  }
}

async function* refusedParts(refusal: string): AsyncGenerator<Part> {
  yield { type: 'stream-start', warnings: [] };
  yield* refusalParts(refusal);
}

function refusalParts(refusal: string): Part[] {
  const id = 'guard';
  return [
    { type: 'text-start', id },
    { type: 'text-delta', id, delta: refusal },
    { type: 'text-end', id },
    { type: 'finish', finishReason, usage: noUsage },
  ];
}

/** What the user said last. */
function lastUserText(prompt: Prompt): string {
  const message = prompt.findLast(({ role }) => role === 'user');
  if (message?.role !== 'user') return '';
  return message.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}
