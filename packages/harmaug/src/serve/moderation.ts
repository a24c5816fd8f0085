/** OpenAI's moderation, said by a guard: which texts are meant, and what its answer is in that shape. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { ApiError } from './api-error.ts';
import type { ModerationBody, ModerationReply } from './schemas.ts';

/** The name of the category that every guard has. */
export const UNSAFE = 'unsafe';

/**
 * A string is one text, an array of strings several, an array of parts one text of several parts.
 * @throws ApiError 400 for images
 */
export function moderationTexts(input: ModerationBody['input']): GuardRequest[] {
  if (typeof input === 'string') return [{ prompt: input }];
  const parts = input.map((part, index) => {
    if (typeof part === 'string' || part.type === 'text') return part;
    const message = `"input.${index}" is an image. This guard reads text: send parts of type "text" alone.`;
    throw new ApiError(400, message, { code: 'unsupported_input', param: `input.${index}` });
  });
  const isStrings = parts.every((part) => typeof part === 'string');
  if (isStrings) return parts.map((prompt) => ({ prompt }));
  return [{ prompt: parts.map((part) => (typeof part === 'string' ? part : part.text)).join('\n') }];
}

/**
 * One result. `unsafe` carries the score; of the guard's hazards the one that fits best has the same score, the others 0,
 * since a guard names one hazard and no odds for the rest.
 */
export function moderationResult(
  { score, verdict, category }: GuardAnswer,
  categories: readonly string[],
): ModerationReply['results'][number] {
  const names = [UNSAFE, ...categories];
  const flagged = verdict === 'unsafe';
  const fits = (name: string) => name === UNSAFE || name === category;
  const byName = <Value>(value: (name: string) => Value) =>
    Object.fromEntries(names.map((name) => [name, value(name)] as const));
  return {
    flagged,
    categories: byName((name) => flagged && fits(name)),
    category_scores: byName((name) => (fits(name) ? score : 0)),
    category_applied_input_types: byName(() => ['text']),
  };
}
