/** Sections of a recipe that make data: one schema for what may stand there, its ranges and defaults. */
import { z } from 'zod';
import { formatNames } from '../data/formats.ts';
import { modelConfig } from '../providers/config.ts';
import { teacherConfig } from '../teachers/config.ts';
import { strictObject } from '../text/schema.ts';
import { defaultAsking, defaultSystems } from './prompts.ts';

const text = z.string().min(1).max(20_000);
const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const share = z.number().min(0).max(1);

const model = z.union([z.string().min(1), modelConfig]).describe('a name in section "models", or a model in place');

/** `none`: the model begins its turn by itself. */
const prefix = text.transform((value) => (value === 'none' ? null : value));

const dataFile = z.union([
  z
    .string()
    .min(1)
    .transform((file) => ({ file })),
  strictObject({
    file: z.string().min(1),
    format: z.enum(formatNames).optional(),
    columns: z.record(z.string(), z.string()).optional().describe('field: column'),
  }),
]);

const sampling = (temperature: number, maxTokens: number) => ({
  temperature: z.number().min(0).max(5).default(temperature),
  topP: z.number().gt(0).max(1).optional(),
  maxTokens: z.int().min(1).max(32_768).default(maxTokens),
  stop: z.array(z.string().min(1)).max(16).default([]),
});

const seedSection = strictObject({
  files: z.array(dataFile).min(1).describe('labelled rows: examples for the writer, and texts not to repeat'),
  limit: z.int().min(1).optional(),
});

const filtersSection = strictObject({
  maxCharacters: z.int().min(1).max(1_000_000).default(1000),
  languages: z
    .union([z.literal('any'), z.array(z.string().regex(/^[a-z]{2}$/, 'expected codes such as en')).min(1)])
    .default(['en']),
  nearDuplicates: z
    .union([
      z.literal(false),
      strictObject({
        unit: z.enum(['characters', 'words']).default('characters'),
        size: z.int().min(1).max(100).default(5),
        threshold: z.number().min(0.1).max(1).default(0.7),
      }),
    ])
    .prefault({}),
  embeddings: strictObject({
    encoder: z.string().min(1).describe('Hugging Face folder; its mean pooling is compared'),
    threshold: z.number().min(0).max(1).default(0.9),
    maxLength: z.int().min(8).max(8192).default(128),
  }).optional(),
  benchmarks: z.array(dataFile).default([]).describe('files, or benchmarks by name, whose texts are kept out'),
});

const category = strictObject({
  name: z.string().min(1).max(200),
  description: z.string().min(1).max(2000),
  aliases: z.array(z.string().min(1)).optional(),
});

const asking = (kind: 'harmful' | 'benign', exemplars: number) => ({
  system: text.optional(),
  prompts: z
    .array(text)
    .min(1)
    .max(1000)
    .default([...defaultAsking[kind].prompts]),
  prefix: prefix.prefault(defaultAsking[kind].prefix),
  exemplars: z.int().min(0).max(50).default(exemplars),
  ...sampling(1, 256),
});

const generateSection = strictObject({
  model,
  perCategory: z.int().min(1).max(10_000_000).default(100).describe('instructions wanted in each'),
  attempts: z.number().min(1).max(1000).default(4).describe('most calls for each instruction wanted'),
  categories: z
    .array(category)
    .min(1)
    .max(10_000)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, { error: 'has a name twice' })
    .optional(),
  seed: seed.default(42),
  ...asking('harmful', 5),
});

const benignSection = strictObject({
  share: z.number().min(0).max(0.9).default(0.2).describe('of all instructions'),
  model: model.optional().describe('default: that of generate'),
  ...asking('benign', 0),
});

const responder = (kind: keyof typeof defaultSystems) =>
  strictObject({
    model,
    system: text.default(defaultSystems[kind]).transform((value) => (value === 'none' ? undefined : value)),
    prefix: prefix.optional().transform((value) => value ?? null),
    ...sampling(0.7, 256),
  });

const respondSection = strictObject({
  refusal: responder('refusal').optional(),
  compliant: responder('compliant').optional(),
  promptOnly: z.boolean().default(true).describe('the instruction alone, as a row of its own'),
  seed: seed.default(42),
}).refine(({ refusal, compliant, promptOnly }) => refusal || compliant || promptOnly, {
  error: 'makes nothing: expected "refusal", "compliant" or promptOnly: true',
});

const labelSection = strictObject({
  teacher: z.union([z.string().min(1), teacherConfig]).describe('a name in section "teachers", or a teacher in place'),
  boundary: z.number().min(0).max(0.5).default(0.1).describe('|p - 0.5| under which a row is marked'),
  disagreement: share.default(0.25).describe('spread of the teachers’ p over which a row is marked'),
});

const price = strictObject({ prompt: z.number().min(0), completion: z.number().min(0) });

const pricesSection = strictObject({
  currency: z
    .string()
    .regex(/^\S{1,8}$/)
    .default('USD'),
  models: z.record(z.string(), price).describe('per million tokens, by the names of section "models"'),
});

const datasetSection = strictObject({
  name: z.string().min(1).max(200).default('Synthetic texts for a safety guard'),
  license: z.string().min(1).max(100).default('other'),
  language: z.array(z.string()).optional(),
  models: z.record(z.string(), z.string()).default({}).describe('licence or terms by model'),
  notes: z.string().max(20_000).optional(),
});

export const sections = {
  models: z.record(z.string(), modelConfig),
  teachers: z.record(z.string(), teacherConfig),
  seed: seedSection,
  filters: filtersSection,
  generate: generateSection,
  benign: benignSection,
  respond: respondSection,
  label: labelSection,
  prices: pricesSection,
  dataset: datasetSection,
} as const;

export type SectionName = keyof typeof sections;
export type Settings<Name extends SectionName> = z.output<(typeof sections)[Name]>;
export type DataFile = Settings<'seed'>['files'][number];
export type ModelRef = Settings<'generate'>['model'];
