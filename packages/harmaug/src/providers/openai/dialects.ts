/**
 * How servers that speak the OpenAI interface differ: what makes them go on from a prefix, what they give for
 * probabilities, which fields they know. Everything else about them is the same.
 */

/** How a chat request says that the last assistant message is to be gone on with. */
export type PrefixStyle =
  /** `continue_final_message: true, add_generation_prompt: false` */
  | 'continue-flags'
  /** The last assistant message is gone on with by itself. */
  | 'last-message'
  /** `prefix: true` on that message. */
  | 'prefix-field'
  | 'none';

export type Api = 'chat' | 'completions';

export interface Dialect {
  readonly name: string;
  /** For people: what it is and where its behaviour is written down. */
  readonly about: string;
  /** What it offers, the one we prefer first. `completions` needs the model's template here. */
  readonly apis: readonly Api[];
  readonly prefix: PrefixStyle;
  /** Whether a chat reply begins with the prefix, always or by version; it is then taken off. */
  readonly repeatsPrefix: 'never' | 'always' | 'some';
  /** Most alternatives a token; 0: none. */
  readonly maxTopLogprobs: number;
  /** A chat request asks for them with `logprobs: true, top_logprobs: n`, or with `logprobs: n`. */
  readonly chatLogprobs: 'flag' | 'count';
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
  readonly seed: 'seed' | 'random_seed';
  /** Whether template variables can be sent along, as `chat_template_kwargs`. */
  readonly takesTemplateVariables: boolean;
  /** Fields that undo a server's own sampling defaults, which would change greedy answers. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** A service with one address: where it is and what its key is usually called. */
  readonly hosted: { readonly endpoint: string; readonly keyName: string } | null;
  /** A completion request's field that keeps the server from adding a BOS token; without one the text's own is left out. */
  readonly noBosField: 'add_special_tokens' | null;
}

const common = {
  apis: ['chat', 'completions'],
  prefix: 'none',
  repeatsPrefix: 'never',
  maxTopLogprobs: 20,
  chatLogprobs: 'flag',
  maxTokens: 'max_tokens',
  seed: 'seed',
  takesTemplateVariables: false,
  noBosField: null,
  fields: {},
  hosted: null,
} as const satisfies Partial<Dialect>;

export const dialects = {
  vllm: {
    ...common,
    name: 'vllm',
    about: 'vLLM: continue_final_message, any field allowed, at most --max-logprobs (20) alternatives',
    prefix: 'continue-flags',
    takesTemplateVariables: true,
    noBosField: 'add_special_tokens',
  },
  sglang: {
    ...common,
    name: 'sglang',
    about: 'SGLang: continue_final_message',
    prefix: 'continue-flags',
    takesTemplateVariables: true,
  },
  'llama.cpp': {
    ...common,
    name: 'llama.cpp',
    about:
      "llama.cpp's llama-server: the last assistant message is gone on with (prefill_assistant); from 2026 the reply repeats it",
    prefix: 'last-message',
    repeatsPrefix: 'some',
    takesTemplateVariables: true,
  },
  'llama-cpp-python': {
    ...common,
    name: 'llama-cpp-python',
    about: "llama-cpp-python's server: its chat closes every message, so completions are used; needs --logits_all true",
    apis: ['completions', 'chat'],
    fields: { repeat_penalty: 1 },
  },
  ollama: {
    ...common,
    name: 'ollama',
    about:
      'Ollama 0.12.11 and newer: the last assistant message is gone on with; its completions are put into a template',
    apis: ['chat'],
    prefix: 'last-message',
  },
  tgi: {
    ...common,
    name: 'tgi',
    about:
      "Hugging Face's text-generation-inference 3: the last assistant message is gone on with, 5 alternatives (--max-top-n-tokens)",
    apis: ['chat'],
    prefix: 'last-message',
    maxTopLogprobs: 5,
  },
  mistral: {
    ...common,
    name: 'mistral',
    hosted: { endpoint: 'https://api.mistral.ai/v1', keyName: 'MISTRAL_API_KEY' },
    about:
      "Mistral's own service: prefix: true, the reply repeats the prefix, no probabilities, unknown fields refused",
    apis: ['chat'],
    prefix: 'prefix-field',
    repeatsPrefix: 'always',
    maxTopLogprobs: 0,
    seed: 'random_seed',
  },
  deepseek: {
    ...common,
    name: 'deepseek',
    hosted: { endpoint: 'https://api.deepseek.com/beta', keyName: 'DEEPSEEK_API_KEY' },
    about: "DeepSeek's own service: prefix: true, on the endpoint https://api.deepseek.com/beta",
    apis: ['chat'],
    prefix: 'prefix-field',
  },
  openrouter: {
    ...common,
    name: 'openrouter',
    hosted: { endpoint: 'https://openrouter.ai/api/v1', keyName: 'OPENROUTER_API_KEY' },
    about: 'OpenRouter: the last assistant message is gone on with where the provider behind it does so',
    apis: ['chat', 'completions'],
    prefix: 'last-message',
  },
  together: {
    ...common,
    name: 'together',
    hosted: { endpoint: 'https://api.together.xyz/v1', keyName: 'TOGETHER_API_KEY' },
    about: 'Together: as OpenRouter, with logprobs: n',
    prefix: 'last-message',
    chatLogprobs: 'count',
  },
  openai: {
    ...common,
    name: 'openai',
    hosted: { endpoint: 'https://api.openai.com/v1', keyName: 'OPENAI_API_KEY' },
    about: "OpenAI's own service: no prefix, probabilities for some models, unknown fields refused",
    apis: ['chat'],
    maxTokens: 'max_completion_tokens',
  },
  completions: {
    ...common,
    name: 'completions',
    about: 'any server with /v1/completions; the template is filled in here',
    apis: ['completions'],
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof dialects;
export const dialectNames = Object.keys(dialects) as DialectName[];
