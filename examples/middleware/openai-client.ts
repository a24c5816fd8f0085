/**
 * A guard around OpenAI's client: `create` and its stream, checked.
 *
 *   const reply = await createChecked(client, guard, { model, messages });
 *   for await (const chunk of streamChecked(client, guard, { model, messages })) …
 */
import type OpenAI from 'openai';
import { type AnyGuard, checkedChunks, expectSafe } from './checked.ts';

type Body = Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, 'stream'>;
type Message = OpenAI.ChatCompletionMessageParam;

/** @throws UnsafeError for a prompt, or a reply among the choices */
export async function createChecked(client: OpenAI, guard: AnyGuard, body: Body): Promise<OpenAI.ChatCompletion> {
  const prompt = lastUserText(body.messages);
  await expectSafe(guard, prompt);
  const completion = await client.chat.completions.create(body);
  for (const { message } of completion.choices) {
    if (message.content) await expectSafe(guard, prompt, message.content);
  }
  return completion;
}

/** One choice, streamed. @throws UnsafeError for a prompt, or when the reply turns unsafe; the request ends with it */
export async function* streamChecked(
  client: OpenAI,
  guard: AnyGuard,
  body: Omit<Body, 'n'>,
): AsyncGenerator<OpenAI.ChatCompletionChunk> {
  const prompt = lastUserText(body.messages);
  await expectSafe(guard, prompt);
  const chunks = await client.chat.completions.create({ ...body, stream: true });
  yield* checkedChunks(guard, prompt, chunks, ({ choices: [choice] }) => choice?.delta.content ?? '');
}

/** What the user said last. */
function lastUserText(messages: readonly Message[]): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}
