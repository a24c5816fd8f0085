/** sweep.json: a grid of settings, each trained from several seeds. */
import { z } from 'zod';
import { count, facts, figure, figures, name } from './fields.ts';

const version = z.union([z.number(), z.string()]).nullable().default(null);

export const sweepSchema = z.object({
  kind: z.literal('sweep'),
  version: z.literal(1, { error: 'expected version 1; a newer harmaug may have written it' }),
  recipe: z.unknown(),
  createdAt: z.unknown(),
  versions: facts.default({}),
  baseline: name.nullable(),
  seeds: z.array(z.number()),
  settings: z.array(z.object({ name, values: facts })).min(1),
  sets: z.array(z.object({ name, version, rows: count, unsafe: count })),
  cells: z.array(
    z.object({
      setting: name,
      seed: z.number(),
      state: z.enum(['done', 'failed', 'missing']),
      figures: z.record(name, figures).nullable().default({}),
      seconds: figure.default(null),
      folder: z.string().nullable().default(null),
    }),
  ),
  summary: z.array(z.object({ setting: name, set: name, metric: name, mean: figure, std: figure, n: count })),
  comparisons: z.array(
    z.object({
      setting: name,
      baseline: name,
      set: name,
      metric: name,
      difference: figure,
      interval: z.tuple([figure, figure]).nullable(),
      p: figure,
      pAdjusted: figure,
    }),
  ),
});

export type SweepResult = z.output<typeof sweepSchema>;
