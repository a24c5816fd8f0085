/** A teacher as a recipe names it. */
import { z } from 'zod';
import { type ModelConfig, modelConfig } from '../providers/config.ts';
import { strictObject } from '../text/schema.ts';
import { familyNames } from './families/index.ts';

const llm = strictObject({
  family: z.enum(familyNames).describe('how it is asked and read'),
  model: z.union([z.string().min(1), modelConfig]).describe('a name in section "models", or a model in place'),
  policy: z.string().min(1).optional().describe('your own, where the family takes one'),
  policyFile: z.string().min(1).optional(),
});

const moderation = strictObject({
  family: z.literal('openai-moderation'),
  model: z.string().default('omni-moderation-latest'),
  endpoint: z.url().default('https://api.openai.com/v1'),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Za-z_]\w*$/)
    .default('OPENAI_API_KEY'),
  concurrency: z.int().min(1).max(256).default(8),
});

const classifier = strictObject({
  family: z.literal('classifier'),
  folder: z.string().min(1).describe('Hugging Face folder, hub id or ONNX file'),
  maxLength: z.int().min(8).optional(),
  threads: z.int().min(1).optional(),
});

const single = z.discriminatedUnion('family', [llm, moderation, classifier]);

const average = strictObject({
  family: z.literal('average'),
  of: z.array(single).min(1).describe('the teachers'),
  minimum: z.int().min(1).optional().describe('verdicts needed; default: all'),
});

export const teacherConfig = z.discriminatedUnion('family', [llm, moderation, classifier, average]);

export type TeacherConfig = z.output<typeof teacherConfig>;

/** A teacher with what its config refers to: enough to open it, in this process or another. */
export interface TeacherChoice {
  /** As messages and keys have it. */
  readonly name: string;
  readonly config: TeacherConfig;
  /** Section `models` of the recipe. */
  readonly models?: Readonly<Record<string, ModelConfig>>;
  /** Where relative paths begin. Default: the working folder. */
  readonly folder?: string;
}
