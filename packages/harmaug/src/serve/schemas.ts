/** Bodies that the server reads and writes: checked on the way in, described in /openapi.json. */
import { z } from 'zod';
import { strictObject } from '../text/schema.ts';

export interface BodyLimits {
  /** Texts or exchanges of a request. */
  readonly maxItems: number;
  /** UTF-16 characters of a prompt or a response. */
  readonly maxCharacters: number;
}

/** @returns the schemas of the requests under these limits */
export function requestSchemas({ maxItems, maxCharacters }: BodyLimits) {
  const text = z
    .string()
    .max(maxCharacters, { error: `is too long: at most ${maxCharacters} characters, --max-characters sets it` });
  const exchange = { prompt: text, response: text.optional() };
  const item = strictObject(exchange);
  const many = <Schema extends z.ZodType>(schema: Schema) =>
    z
      .array(schema)
      .min(1, { error: 'is empty, expected at least one' })
      .max(maxItems, { error: `has too many: at most ${maxItems}, --max-items sets it` });
  const part = z.discriminatedUnion('type', [
    z.object({ type: z.literal('text'), text }),
    z.object({ type: z.literal('image_url') }),
  ]); // OpenAI's; what an image gets is a clear refusal
  return {
    /** OpenAI's: what we do not know in it is left alone. */
    moderation: z.object({
      input: z.union([text, many(text), many(part)], {
        error: 'is missing or wrong: expected a string, strings, or parts of type "text"',
      }),
      model: z.string().optional(),
    }),
    /** Ours: an unknown key is an error, since a misspelt "response" would go unread. */
    check: z.union([item, strictObject({ items: many(item) })], {
      error: 'is wrong: expected {"prompt", "response"?} or {"items": […]}, and no other keys',
    }),
    score: strictObject({ items: many(item) }),
  };
}

export type RequestSchemas = ReturnType<typeof requestSchemas>;
export type ModerationBody = z.output<RequestSchemas['moderation']>;

const place = z.tuple([z.int(), z.int()]).describe('Begin and end in UTF-16 characters of the text as it was sent.');
const score = z.number().min(0).max(1).describe('p(unsafe) of the worst window.');

const answer = z.object({
  score,
  verdict: z.enum(['safe', 'unsafe']),
  threshold: z.number(),
  category: z.string().optional().describe('The hazard that fits best, where the guard was trained to tell.'),
  window: z.object({ prompt: place, response: place.optional() }).describe('Where the worst window lies.'),
  windows: z.int().describe('How many windows were scored, views included.'),
  view: z.string().optional().describe('How the worst window was encoded, where it was.'),
});

const flags = z.record(z.string(), z.boolean());

export const replySchemas = {
  moderation: z.object({
    id: z.string(),
    model: z.string(),
    results: z.array(
      z.object({
        flagged: z.boolean(),
        categories: flags,
        category_scores: z.record(z.string(), z.number()),
        category_applied_input_types: z.record(z.string(), z.array(z.string())),
      }),
    ),
  }),
  check: z.union([
    answer.extend({ model: z.string() }),
    z.object({ model: z.string(), results: z.array(answer).describe('In the order of the items.') }),
  ]),
  score: z.object({ model: z.string(), scores: z.array(score).describe('In the order of the items.') }),
  error: z.object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  }),
};

export type ModerationReply = z.output<typeof replySchemas.moderation>;
