/** Our requests in a server's words: pure functions from what is asked to the body of an HTTP call. */
import { ProviderError } from '../../errors.ts';
import type { Neutralise } from '../../templates/neutralise.ts';
import { type Prompt, textOf } from '../../templates/segments.ts';
import type { ChatInput, Input } from '../provider.ts';
import type { Dialect } from './dialects.ts';

/** Both operations, reduced to what a server needs to know. */
export interface Ask {
  readonly id: string;
  readonly input: Input;
  readonly prefix?: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** Alternatives wanted a token; absent: none. */
  readonly topLogprobs?: number;
}

export type Body = Readonly<Record<string, unknown>>;

/** What every request has. */
function commonFields(dialect: Dialect, model: string, ask: Ask): Body {
  return {
    ...dialect.fields,
    model,
    [dialect.maxTokens]: ask.maxTokens,
    temperature: ask.temperature,
    ...(ask.topP === undefined ? {} : { top_p: ask.topP }),
    ...(ask.stop === undefined || ask.stop.length === 0 ? {} : { stop: ask.stop }),
    ...(ask.seed === undefined ? {} : { [dialect.seed]: ask.seed }),
  };
}

/**
 * Body of /chat/completions. The server fills in the template, so control strings in messages are broken up here.
 * @throws ProviderError 'unsupported' for what this way of asking cannot do
 */
export function chatBody(dialect: Dialect, model: string, ask: Ask, neutralise: Neutralise): Body {
  const input = requireChat(dialect, ask.input);
  const inParts = input.render?.content === 'parts';
  const messages: Body[] = input.messages.map(({ role, content }) => {
    const text = neutralise(content);
    return { role, content: inParts ? [{ type: 'text', text }] : text };
  });
  const variables = input.render?.variables ?? {};
  if (Object.keys(variables).length > 0 && !dialect.takesTemplateVariables) {
    const names = Object.keys(variables).join(', ');
    throw unsupported(
      dialect,
      `takes no template variables, and this one needs ${names}`,
      'Use api: completions, or vllm.',
    );
  }
  const goOn = ask.prefix ? withPrefix[dialect.prefix](ask.prefix, dialect) : null;
  if (goOn) messages.push(goOn.message);
  return {
    ...commonFields(dialect, model, ask),
    messages,
    ...goOn?.fields,
    ...(Object.keys(variables).length === 0 ? {} : { chat_template_kwargs: variables }),
    ...(ask.topLogprobs === undefined ? {} : chatLogprobs[dialect.chatLogprobs](ask.topLogprobs)),
  };
}

const chatLogprobs = {
  flag: (count: number): Body => ({ logprobs: true, top_logprobs: count }),
  count: (count: number): Body => ({ logprobs: count }),
};

/** The prefix as the last message, and what else says that it is to be gone on with. */
const withPrefix: Record<Dialect['prefix'], (prefix: string, dialect: Dialect) => { message: Body; fields: Body }> = {
  'continue-flags': (content) => ({
    message: { role: 'assistant', content },
    fields: { continue_final_message: true, add_generation_prompt: false },
  }),
  'last-message': (content) => ({ message: { role: 'assistant', content }, fields: {} }),
  'prefix-field': (content) => ({ message: { role: 'assistant', content, prefix: true }, fields: {} }),
  none: (_, dialect) => {
    throw unsupported(
      dialect,
      'cannot go on from a prefix in its chat',
      "Use api: completions with the model's template.",
    );
  },
};

function requireChat(dialect: Dialect, input: Input): ChatInput {
  if (input.kind === 'text') {
    throw unsupported(
      dialect,
      'puts every text into its chat template, and this one is complete',
      'Use api: completions.',
    );
  }
  if (input.replace) {
    throw unsupported(
      dialect,
      'fills in the template itself, so its policy cannot be replaced',
      'Use api: completions.',
    );
  }
  return input;
}

function unsupported(dialect: Dialect, problem: string, remedy: string): ProviderError {
  return new ProviderError(`${dialect.name} ${problem}. ${remedy}`, { problem: 'unsupported', isRetryable: false });
}

/**
 * Body of /completions.
 * @param prompt with data already made harmless
 */
export function completionBody(dialect: Dialect, model: string, ask: Ask, prompt: Prompt, bosToken: string): Body {
  const text = textOf(prompt);
  const hasBos = bosToken !== '' && text.startsWith(bosToken);
  return {
    ...commonFields(dialect, model, ask),
    max_tokens: ask.maxTokens,
    prompt: hasBos && dialect.noBosField === null ? text.slice(bosToken.length) : text,
    ...(hasBos && dialect.noBosField !== null ? { [dialect.noBosField]: false } : {}),
    ...(ask.topLogprobs === undefined ? {} : { logprobs: ask.topLogprobs }),
  };
}

/** The texts of a request, to be kept out of messages. */
export function textsOfInput(input: Input, prefix = ''): string[] {
  const texts = input.kind === 'chat' ? input.messages.map(({ content }) => content) : [textOf(input.prompt)];
  return [...texts, prefix].filter(Boolean);
}
