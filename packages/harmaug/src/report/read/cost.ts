/** What `harmaug cost --json` prints. */
import { z } from 'zod';
import { count, figure, name } from './fields.ts';

const check = z.object({
  length: z.union([count, z.literal('data')]),
  tokens: figure,
  flops: figure,
  flopsPerToken: figure,
  p50Ms: figure,
  p95Ms: figure,
  textsPerSecond: figure,
  tokensPerSecond: figure,
  perMillionChecks: figure,
});

const model = z.object({
  name,
  precision: name.nullable(),
  parameters: figure,
  parametersWithoutEmbeddings: figure,
  diskBytes: figure,
  peakMemoryBytes: figure,
  checks: z.array(check),
});

const ratio = z.object({
  name,
  precision: name.nullable(),
  length: check.shape.length,
  parameters: figure,
  flops: figure,
  p50Ms: figure,
  textsPerSecond: figure,
  peakMemoryBytes: figure,
  diskBytes: figure,
  perMillionChecks: figure,
});

export const costSchema = z.object({
  machine: z.object({ cpu: name, threads: count }),
  prices: z.object({ currency: name, date: name.optional() }),
  models: z.array(model).min(1),
  against: model.nullable(),
  ratios: z.array(ratio),
});

export type CostResult = z.output<typeof costSchema>;
