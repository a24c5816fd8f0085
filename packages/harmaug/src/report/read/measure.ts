/** What `harmaug measure --json` prints. */
import { z } from 'zod';
import { count, figure, name } from './fields.ts';

const diversity = z.object({
  texts: count,
  distinct: z.array(figure),
  self_bleu: figure,
  near_duplicates: figure,
  clusters: figure,
});

/** Texts in the plane: place, cluster (-1 for none) and origin of each. */
const plane = z
  .object({
    explained: z.tuple([z.number(), z.number()]),
    points: z.array(z.tuple([z.number(), z.number(), z.number().int(), z.enum(['seed', 'synthetic'])])),
  })
  .nullable();

export type Plane = NonNullable<z.output<typeof plane>>;

export const measureSchema = z.object({
  attack: z.object({
    prefix: z.string().nullable(),
    replies: count,
    not_refused: figure,
    judged_unsafe: figure,
    success: figure,
  }),
  candidates_nearly_repeating: figure,
  sets: z.object({ seed: diversity, synthetic: diversity, together: diversity }),
  categories: z.record(name, count),
  score_histogram: z.array(count),
  plane: plane.default(null),
});

export type MeasureResult = z.output<typeof measureSchema>;
