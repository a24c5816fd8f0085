/**
 * How real servers behave, one record each: the fields they know and what they do with others, how they take a prefix,
 * the shape of probabilities and of errors. Sources: vLLM (entrypoints/openai/*), SGLang (openai_api/protocol.py),
 * llama.cpp (tools/server), llama-cpp-python (llama_cpp/server), Ollama (openai/openai.go), TGI (router/src/lib.rs), and
 * the documentation of Mistral, DeepSeek, OpenRouter, Together and OpenAI.
 */

type Json = Readonly<Record<string, unknown>>;

export interface Behaviour {
  /** Bearer key the server wants. */
  readonly key?: string;
  /** Path before /chat/completions. */
  readonly base: string;
  readonly apis: readonly ('chat' | 'completions')[];
  /** Fields that are known; `null`: others are ignored without a word. */
  readonly onlyFields: ReadonlySet<string> | null;
  /** Fields that a message may have. */
  readonly onlyMessageFields?: ReadonlySet<string>;
  /** Whether a conversation's last assistant message is gone on with. */
  readonly goesOn: (body: Json, last: Json) => boolean;
  readonly repeatsPrefix?: boolean;
  readonly maxTopLogprobs: number;
  readonly logprobs: { readonly chat: 'content' | 'lists' | null; readonly completions: 'content' | 'lists' | null };
  /** How many alternatives a request wants; `null`: none. */
  readonly wanted: (body: Json) => number | null;
  readonly maxTokensField: string;
  /** Names of the two ways to end. */
  readonly finish: { readonly stop: string; readonly length: string };
  readonly error: (
    status: number,
    message: string,
    field?: string,
  ) => { readonly status: number; readonly body: unknown };
}

const chatFlag = (body: Json) => (body.logprobs === true ? Number(body.top_logprobs ?? 0) : null);
const flagOrCount = (body: Json) => (typeof body.logprobs === 'number' ? body.logprobs : chatFlag(body));
const openAiError = (status: number, message: string, param?: string) => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param: param ?? null, code: null } },
});
const stopLength = { stop: 'stop', length: 'length' };

const common = {
  base: '/v1',
  apis: ['chat', 'completions'],
  onlyFields: null,
  goesOn: () => false,
  maxTopLogprobs: 20,
  logprobs: { chat: 'content', completions: 'lists' },
  wanted: flagOrCount,
  maxTokensField: 'max_tokens',
  finish: stopLength,
  error: openAiError,
} as const satisfies Behaviour;

const continueFlags = (body: Json) => body.continue_final_message === true && body.add_generation_prompt === false;
const prefixField = (_: Json, last: Json) => last.prefix === true;

export const behaviours = {
  vllm: {
    ...common,
    goesOn: continueFlags,
    error: (status, message, param) => ({
      status,
      body: { error: { message, type: 'BadRequestError', param: param ?? null, code: status } },
    }),
  },
  sglang: {
    ...common,
    goesOn: (body) => body.continue_final_message === true,
    error: (status, message, param) => ({
      status,
      body: { object: 'error', message, type: 'BadRequestError', param: param ?? null, code: status },
    }),
  },
  'llama.cpp': {
    ...common,
    goesOn: () => true,
    maxTopLogprobs: 1000,
    logprobs: { chat: 'content', completions: 'content' },
    error: (status, message) => ({ status, body: { error: { code: status, message, type: 'invalid_request_error' } } }),
  },
  'llama-cpp-python': { ...common, logprobs: { chat: 'content', completions: 'lists' } },
  ollama: {
    ...common,
    apis: ['chat'],
    goesOn: () => true,
    logprobs: { chat: 'content', completions: null },
    error: (status, message) => ({
      status,
      body: { error: { message, type: 'invalid_request_error', param: null, code: null } },
    }),
  },
  tgi: {
    ...common,
    apis: ['chat'],
    goesOn: () => true,
    maxTopLogprobs: 5,
    finish: { stop: 'eos_token', length: 'length' },
    error: (status, message) => ({
      status: status === 400 ? 422 : status,
      body: { error: message, error_type: 'validation' },
    }),
  },
  mistral: {
    ...common,
    key: 'key-of-mistral',
    apis: ['chat'],
    onlyFields: new Set([
      ...[
        'model',
        'messages',
        'temperature',
        'top_p',
        'max_tokens',
        'stream',
        'stop',
        'random_seed',
        'response_format',
      ],
      ...[
        'tools',
        'tool_choice',
        'presence_penalty',
        'frequency_penalty',
        'n',
        'prediction',
        'safe_prompt',
        'prompt_mode',
      ],
    ]),
    onlyMessageFields: new Set(['role', 'content', 'tool_calls', 'prefix', 'name', 'tool_call_id']),
    goesOn: prefixField,
    repeatsPrefix: true,
    maxTopLogprobs: 0,
    logprobs: { chat: null, completions: null },
    error: (status, message, field) => ({
      status: status === 400 ? 422 : status,
      body:
        field === undefined
          ? { object: 'error', message, type: 'invalid_request_error', param: null, code: null }
          : { detail: [{ type: 'extra_forbidden', loc: ['body', field], msg: message, input: 'what was sent' }] },
    }),
  },
  deepseek: { ...common, key: 'key-of-deepseek', base: '/beta', apis: ['chat'], goesOn: prefixField, wanted: chatFlag },
  openrouter: { ...common, key: 'key-of-openrouter', base: '/api/v1', goesOn: () => true, wanted: flagOrCount },
  together: {
    ...common,
    key: 'key-of-together',
    goesOn: () => true,
    logprobs: { chat: 'lists', completions: 'lists' },
    wanted: (body) => (typeof body.logprobs === 'number' ? body.logprobs : null),
  },
  openai: {
    ...common,
    key: 'key-of-openai',
    apis: ['chat'],
    onlyFields: new Set([
      ...[
        'model',
        'messages',
        'temperature',
        'top_p',
        'max_completion_tokens',
        'max_tokens',
        'stop',
        'seed',
        'logprobs',
      ],
      ...['top_logprobs', 'n', 'stream', 'user', 'response_format', 'tools', 'tool_choice', 'metadata', 'store'],
    ]),
    wanted: chatFlag,
    maxTokensField: 'max_completion_tokens',
    error: (status, message, param) => ({
      status,
      body: {
        error: {
          message,
          type: 'invalid_request_error',
          param: param ?? null,
          code: param ? 'unknown_parameter' : null,
        },
      },
    }),
  },
  completions: { ...common, apis: ['completions'] },
} as const satisfies Record<string, Behaviour>;
