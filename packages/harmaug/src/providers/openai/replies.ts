/** A server's replies in our words. Only the fields we read are declared; anything else may come along. */
import { z } from 'zod';
import { ProviderError } from '../../errors.ts';
import { parseJson } from '../../text/json.ts';
import type { FinishReason, Usage } from '../provider.ts';
import type { Alternative, TokenWithAlternatives } from '../read-point.ts';

export interface Reply {
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly rawFinishReason: string | null;
  readonly usage: Usage;
  readonly warnings: readonly string[];
  /** `null` where no probabilities came. */
  readonly tokens: readonly TokenWithAlternatives[] | null;
}

/** Python's NaN arrives as null. */
const logprob = z.number().nullish();

const contentLogprobs = z.object({
  content: z.array(
    z.object({
      token: z.string(),
      logprob,
      top_logprobs: z.array(z.object({ token: z.string(), logprob })).nullish(),
    }),
  ),
});

/** Of the older interface: parallel lists. */
const listLogprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()).nullish(),
  top_logprobs: z.array(z.record(z.string(), logprob).nullable()).nullish(),
});

const schema = z.object({
  choices: z.array(
    z.object({
      index: z.number().nullish(),
      text: z.string().nullish(),
      message: z
        .object({
          content: z.string().nullish(),
          reasoning_content: z.string().nullish(),
          reasoning: z.string().nullish(),
        })
        .nullish(),
      finish_reason: z.string().nullish(),
      logprobs: z.union([contentLogprobs, listLogprobs, z.looseObject({})]).nullish(),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

type Choice = z.output<typeof schema>['choices'][number];

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos_token: 'stop', // TGI
  stop_sequence: 'stop', // TGI
  end_turn: 'stop',
  length: 'length',
  content_filter: 'filter',
};

/**
 * Reads the body of a reply of either interface.
 * @throws ProviderError 'format', worth another try: the words of a message never hold what came
 */
export function readReply(body: string): Reply {
  const json = parseJson(body);
  if (json === undefined) throw malformed(`it is not JSON (${body.length} characters; it may have been cut off)`);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const { path, code } = parsed.error.issues[0]!;
    throw malformed(`"${path.join('.')}" is not what it should be (${code})`);
  }
  const choice = onlyChoice(parsed.data.choices);
  const text = choice.message?.content ?? choice.text ?? '';
  const raw = choice.finish_reason ?? null;
  const { usage } = parsed.data;
  const reasoning = choice.message?.reasoning_content ?? choice.message?.reasoning ?? '';
  const tokens = readTokens(choice.logprobs);
  return {
    text,
    finishReason: raw === null ? 'other' : (finishReasons[raw] ?? 'other'),
    rawFinishReason: raw,
    usage: { promptTokens: usage?.prompt_tokens ?? 0, completionTokens: usage?.completion_tokens ?? 0 },
    warnings: usage ? [] : ['The reply says nothing about its tokens.'],
    tokens: tokens && reasoning !== '' ? tokensOfContent(tokens, text) : tokens,
  };
}

/** We ask for one; a server that sends more must not have us pick by chance. */
function onlyChoice(choices: readonly Choice[]): Choice {
  const [choice, ...others] = choices.filter(({ index }) => (index ?? 0) === 0);
  if (choice === undefined) throw malformed('it has no choice');
  if (others.some((other) => JSON.stringify(other) !== JSON.stringify(choice))) {
    throw malformed(`it has ${others.length + 1} different choices of one number`);
  }
  return choice;
}

function readTokens(logprobs: Choice['logprobs']): TokenWithAlternatives[] | null {
  if (!logprobs) return null;
  if ('content' in logprobs && Array.isArray(logprobs.content)) {
    const { content } = logprobs as z.output<typeof contentLogprobs>;
    return content.map(({ token, logprob, top_logprobs: top }) => ({
      text: token,
      logprob: logprob ?? null,
      top: (top ?? []).map((other) => ({ text: other.token, logprob: other.logprob ?? null })),
    }));
  }
  if ('tokens' in logprobs && Array.isArray(logprobs.tokens)) {
    const { tokens, token_logprobs: own, top_logprobs: top } = logprobs as z.output<typeof listLogprobs>;
    return tokens.map((text, index) => ({
      text,
      logprob: own?.[index] ?? null,
      top: Object.entries(top?.[index] ?? {}).map(
        ([other, value]): Alternative => ({ text: other, logprob: value ?? null }),
      ),
    }));
  }
  return null;
}

/** A reasoning model's probabilities cover its thoughts too: those of the answer are the last ones. */
function tokensOfContent(tokens: readonly TokenWithAlternatives[], content: string): readonly TokenWithAlternatives[] {
  const answer = content.trim();
  if (answer === '') return [];
  for (let from = tokens.length - 1, rest = ''; from >= 0; from--) {
    rest = tokens[from]!.text + rest;
    if (rest.trimStart().startsWith(answer)) return tokens.slice(from);
  }
  return [];
}

function malformed(problem: string): ProviderError {
  return new ProviderError(`The reply cannot be used: ${problem}.`, { problem: 'format', isRetryable: true });
}
