/** A model behind a server that speaks the OpenAI interface. */
import { ProviderError } from '../../errors.ts';
import type { ChatTemplate } from '../../templates/chat-template.ts';
import { allControlStrings } from '../../templates/control-strings.ts';
import { createNeutraliser, createPromptNeutraliser } from '../../templates/neutralise.ts';
import { createRenderer } from '../../templates/render.ts';
import { completePrompt } from '../complete-prompt.ts';
import type { Generation, NextTokens, Provider } from '../provider.ts';
import { readPoint } from '../read-point.ts';
import { Client, type ClientOptions, type Counts } from './client.ts';
import type { Api, Dialect } from './dialects.ts';
import { type Reply, readReply } from './replies.ts';
import { type Ask, chatBody, completionBody, textsOfInput } from './requests.ts';

export interface OpenAiOptions extends ClientOptions {
  readonly name?: string;
  readonly dialect: Dialect;
  /** Default: the dialect's first. */
  readonly api?: Api | undefined;
  /** The model's own, for completions; its control strings are broken up in data. */
  readonly template?: ChatTemplate | undefined;
}

export interface OpenAiProvider extends Provider {
  readonly counts: Readonly<Counts>;
  readonly client: Client;
}

/** @example createOpenAiProvider({ dialect: dialects.vllm, endpoints: ['http://localhost:8000/v1'], model: 'm', transport, concurrency: 64 }) */
export function createOpenAiProvider(options: OpenAiOptions): OpenAiProvider {
  const { dialect, model, template } = options;
  const api = options.api ?? dialect.apis[0]!;
  if (!dialect.apis.includes(api)) {
    throw new ProviderError(`${dialect.name} has no ${api}, only ${dialect.apis.join(', ')}.`, {
      problem: 'unsupported',
      isRetryable: false,
    });
  }
  const client = new Client(options);
  const controls = [...new Set([...allControlStrings, ...(template?.controls ?? [])])];
  const neutralise = createNeutraliser(controls);
  const neutralisePrompt = createPromptNeutraliser(controls);
  const local = template === undefined ? null : { template, render: createRenderer(template) };

  const bodies: Record<Api, (ask: Ask) => unknown> = {
    chat: (ask) => chatBody(dialect, model, ask, neutralise),
    completions: (ask) => {
      const prompt = neutralisePrompt(completePrompt(ask.input, ask.prefix ?? '', local));
      return completionBody(dialect, model, ask, prompt, template?.bosToken ?? '');
    },
  };
  const paths: Record<Api, string> = { chat: '/chat/completions', completions: '/completions' };

  const send = async (ask: Ask, signal: AbortSignal | undefined): Promise<Reply> => {
    const { id, input, prefix } = ask;
    const reply = await client.call({
      id,
      path: paths[api],
      body: bodies[api](ask),
      hidden: textsOfInput(input, prefix),
      signal,
      read: readReply,
    });
    if (api !== 'chat' || !prefix || dialect.repeatsPrefix === 'never') return reply;
    return withoutPrefix(reply, prefix, dialect.repeatsPrefix === 'always', id);
  };

  return {
    name: options.name ?? model,
    about: { provider: 'openai', dialect: dialect.name, api, model },
    rendersHere: api === 'completions',
    maxTopLogprobs: dialect.maxTopLogprobs,
    client,
    counts: client.counts,

    async generate({ signal, temperature = 0, ...request }): Promise<Generation> {
      const { tokens: _, ...generation } = await send({ ...request, temperature }, signal);
      return generation;
    },

    async nextTokens({ signal, point, candidates, match, ...request }): Promise<NextTokens> {
      if (dialect.maxTopLogprobs === 0) throw noLogprobs(request.id, `${dialect.name} gives none`);
      const ask = { ...request, temperature: 0, topLogprobs: dialect.maxTopLogprobs };
      const { tokens, text, usage } = await send(ask, signal);
      if (tokens === null) throw noLogprobs(request.id, 'the reply came without them');
      return { ...readPoint(tokens, { point, candidates, match }), text, usage };
    },

    dispose: () => client.dispose(),
  };
}

/** @param isCertain whether a reply without it shows that the server left it out */
function withoutPrefix(reply: Reply, prefix: string, isCertain: boolean, id: string): Reply {
  const trimmed = prefix.trim(); // space at its ends may be dropped
  const start = [prefix, prefix.trimEnd(), trimmed].find((text) => reply.text.startsWith(text));
  if (start !== undefined) return { ...reply, text: reply.text.slice(start.length) };
  if (!isCertain) return reply;
  throw new ProviderError(`Call ${id}: the reply does not begin with the prefix: the server did not go on from it.`, {
    problem: 'unsupported',
    isRetryable: false,
  });
}

function noLogprobs(id: string, reason: string): ProviderError {
  const remedy = 'Ask a server that gives logprobs, such as vLLM, or run the model in-process.';
  return new ProviderError(`Call ${id}: no probabilities, ${reason}. ${remedy}`, {
    problem: 'unsupported',
    isRetryable: false,
  });
}
