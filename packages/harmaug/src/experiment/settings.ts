/** Sections of a recipe that only a whole run reads: what may stand there, ranges and defaults. */
import { z } from 'zod';
import { defaultLimits } from '../export/gate.ts';
import { precisionNames } from '../export/precisions.ts';
import { strictObject } from '../text/schema.ts';

const share = z.number().min(0).max(1);
const file = z.string().min(1);

const noPrefix = strictObject({
  perCategory: z.int().min(1).max(10_000_000).default(10).describe('instructions asked for in each category'),
  attempts: z.number().min(1).max(1000).default(1).describe('most calls for each of them'),
  responses: z
    .boolean()
    .default(false)
    .describe('a whole set, to learn from as run:no-prefix; else replies are only counted'),
});

const measure = strictObject({
  encoder: file.optional().describe('Hugging Face folder for clusters; that of the filters; else none are counted'),
  sample: z.int().min(1).optional(),
  epsilon: z.number().gt(0).max(2).optional(),
  minSamples: z.int().min(1).optional(),
  seed: z.int().min(0).optional(),
});

const exporting = strictObject({
  setting: z.string().min(1).optional().describe('of the sweep; default: the last one'),
  dtype: z.array(z.enum(precisionNames)).min(1).default(['fp32', 'int8']),
  maxDifference: share.default(defaultLimits.difference),
  maxFlips: share.default(defaultLimits.flips),
  maxAuprcDrop: share.default(defaultLimits.auprcDrop),
});

const cost = strictObject({
  teacher: z.boolean().default(true).describe('whether the teacher is measured beside the guard'),
  shape: file.optional().describe('config.json or GGUF of a teacher behind a server, for its size and FLOPs'),
  lengths: z
    .array(z.int().min(4).max(131_072))
    .default([32, 128, 512])
    .describe('tokens of texts, beside rows of the first evaluation set'),
  rows: z.int().min(0).max(1000).default(200),
  seconds: z.number().gt(0).max(3600).default(4).describe('of measuring, for each length'),
  run: z.boolean().default(true).describe('false: counted alone, nothing is measured'),
});

const report = strictObject({
  title: z.string().min(1).max(200).default('Safety guards'),
  texts: z.boolean().default(false).describe('whether the page holds the evaluation sets’ texts, hidden until clicked'),
  lookAlikes: z
    .string()
    .min(1)
    .optional()
    .describe('harmless look-alikes: an evaluation set, or a source or category within one'),
});

export const experimentSections = { noPrefix, measure, export: exporting, cost, report } as const;

export type ExperimentSectionName = keyof typeof experimentSections;
export type ExperimentSettings<Name extends ExperimentSectionName> = z.output<(typeof experimentSections)[Name]>;
