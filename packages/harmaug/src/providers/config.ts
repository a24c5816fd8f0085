/** A model as a recipe or a flag names it. */
import { z } from 'zod';
import { strictObject } from '../text/schema.ts';
import { dialectNames } from './openai/dialects.ts';

/** A key in an address would end up in files. */
const endpoint = z
  .url({ protocol: /^https?$/, error: 'is wrong: expected an address such as http://localhost:8000/v1' })
  .refine(
    (text) => {
      const { username, password, search } = new URL(text);
      return `${username}${password}${search}` === '';
    },
    { error: 'must hold no key: name an environment variable as "apiKeyEnv"' },
  );

const openAiModel = strictObject({
  provider: z.literal('openai').describe('a server that speaks the OpenAI interface'),
  dialect: z.enum(dialectNames).describe('which server it is'),
  model: z.string().min(1).describe('its name there'),
  endpoints: z
    .array(endpoint)
    .min(1)
    .optional()
    .describe('addresses that share the load; needed but for hosted services'),
  api: z.enum(['chat', 'completions']).optional().describe('default: the dialect’s first'),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Za-z_]\w*$/)
    .optional()
    .describe('environment variable that holds the key'),
  tokenizer: z.string().optional().describe('folder with tokenizer_config.json, for completions'),
  template: z.string().optional().describe('Jinja file in place of the chat template'),
  concurrency: z.int().min(1).max(8192).default(32).describe('most requests at once, of each endpoint'),
  timeoutSeconds: z.number().positive().default(600).describe('for one reply'),
  patienceSeconds: z.number().positive().default(120).describe('while every endpoint is down'),
  record: z.string().optional().describe('file that keeps every call, to be replayed; it holds texts'),
});

const llamaCppModel = strictObject({
  provider: z.literal('llama.cpp').describe('a GGUF in this process'),
  model: z.string().min(1).describe('file, or hf:owner/repository/file.gguf'),
  modelFolder: z.string().optional().describe('where models from the hub are kept'),
  template: z.string().optional().describe('Jinja file in place of the GGUF’s own template'),
  sequences: z.int().min(1).max(256).default(4).describe('calls computed at once'),
  contextSize: z.int().min(16).optional().describe('tokens of one call'),
  reuse: z
    .boolean()
    .optional()
    .describe('false: computes all of a prompt anew, whatever the call before shared with it'),
  threads: z.int().min(1).optional(),
  gpu: z.boolean().default(true),
  record: z.string().optional(),
});

const replayedModel = strictObject({
  provider: z.literal('replay').describe('answers of an earlier run, or completions made elsewhere'),
  file: z.string().min(1).describe('what "record" wrote; or lines of { text, prompt }'),
});

const scriptedModel = strictObject({
  provider: z.literal('scripted').describe('fixed answers, for dry runs'),
  text: z.union([z.string(), z.array(z.string()).min(1)]).default(''),
  probabilities: z.record(z.string(), z.number().min(0).max(1)).default({}),
});

export const modelConfig = z.discriminatedUnion('provider', [openAiModel, llamaCppModel, replayedModel, scriptedModel]);

/** As written. */
export type ModelConfigInput = z.input<typeof modelConfig>;
/** Checked, defaults filled in. */
export type ModelConfig = z.output<typeof modelConfig>;
