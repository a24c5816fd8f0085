/** What `harmaug calibrate --json` prints. */
import { z } from 'zod';
import { count, figure, name } from './fields.ts';

const interval = z.tuple([z.number(), z.number()]);

export const calibrationSchema = z.object({
  file: name,
  wanted_fpr: z.number(),
  temperature: z.number(),
  threshold: z.number(),
  fpr: figure,
  fpr_interval: interval,
  recall: figure,
  held_out: z
    .object({ rows: count, fpr: figure, fpr_interval: interval, recall: figure, ece_before: figure, ece: figure })
    .nullable(),
});

export type CalibrationResult = z.output<typeof calibrationSchema>;
