/** adapt.json: a guard before and after it learned a new attack. */
import { z } from 'zod';
import { count, facts, figures, name } from './fields.ts';

export const adaptSchema = z.object({
  kind: z.literal('adapt'),
  version: z.literal(1, { error: 'expected version 1; a newer harmaug may have written it' }),
  createdAt: z.unknown(),
  versions: facts.default({}),
  guard: name,
  transform: z.unknown(),
  settings: facts.default({}),
  sets: z
    .array(
      z.object({
        name,
        group: z.enum(['attacked', 'plain']),
        rows: count,
        unsafe: count,
        before: figures,
        after: figures,
      }),
    )
    .min(1),
});

export type AdaptResult = z.output<typeof adaptSchema>;
