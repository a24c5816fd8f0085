/** What `harmaug export --json` prints: each precision held against float32. */
import { z } from 'zod';
import { count, figure, name } from './fields.ts';

const gate = z.object({ max_difference: z.number(), flips: z.number(), auprc_drop: figure });

export const exportSchema = z.object({
  folder: name,
  texts: count,
  files: z
    .array(
      z.object({
        dtype: name,
        file: name,
        bytes: count,
        gate: gate.nullable(),
        kept_float32: z.array(name),
        over_limits: z.array(name),
      }),
    )
    .min(1),
});

export type ExportResult = z.output<typeof exportSchema>;
