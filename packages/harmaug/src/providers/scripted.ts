/** A provider that answers from a script: for tests, examples and dry runs. It ships with the product. */
import type { GenerateRequest, Generation, NextTokens, NextTokensRequest, Provider } from './provider.ts';

/** One answer for every call, a list taken in turn, or a function of the request. */
export type Script<Request, Answer> = Answer | readonly Answer[] | ((request: Request) => Answer | Promise<Answer>);

export interface ScriptedOptions {
  readonly name?: string;
  /** What is written after the prefix. Default: nothing. */
  readonly text?: Script<GenerateRequest, string | Partial<Generation>>;
  /** Probabilities of candidates by word; a word that is not there is missing. */
  readonly probabilities?: Script<NextTokensRequest, Readonly<Record<string, number>> | Partial<NextTokens>>;
  readonly rendersHere?: boolean;
  readonly maxTopLogprobs?: number;
}

export type ScriptedCall =
  | { readonly operation: 'generate'; readonly request: GenerateRequest }
  | { readonly operation: 'nextTokens'; readonly request: NextTokensRequest };

export interface ScriptedProvider extends Provider {
  /** Every call so far, in order. */
  readonly calls: readonly ScriptedCall[];
}

const NO_USAGE = { promptTokens: 0, completionTokens: 0 };

/**
 * @example
 * const provider = scriptedProvider({ text: ['One.', 'Two.'], probabilities: { safe: 0.9, unsafe: 0.1 } });
 */
export function scriptedProvider(options: ScriptedOptions = {}): ScriptedProvider {
  const { name = 'scripted', text = '', probabilities = {}, rendersHere = true, maxTopLogprobs = 20 } = options;
  const calls: ScriptedCall[] = [];
  const nextText = player(text);
  const nextProbabilities = player(probabilities);
  return {
    name,
    about: { provider: 'scripted' },
    rendersHere,
    maxTopLogprobs,
    calls,
    async generate(request) {
      request.signal?.throwIfAborted();
      calls.push({ operation: 'generate', request });
      const answer = await nextText(request);
      const given = typeof answer === 'string' ? { text: answer } : answer;
      return { text: '', finishReason: 'stop', rawFinishReason: 'stop', usage: NO_USAGE, warnings: [], ...given };
    },
    async nextTokens(request) {
      request.signal?.throwIfAborted();
      calls.push({ operation: 'nextTokens', request });
      const answer = await nextProbabilities(request);
      if ('logprobs' in answer) return { isPointReached: true, text: '', usage: NO_USAGE, ...answer } as NextTokens;
      const byWord = answer as Readonly<Record<string, number>>;
      const likeliest = Object.entries(byWord).sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
      return {
        logprobs: request.candidates.map((word) => (byWord[word] === undefined ? 'missing' : Math.log(byWord[word]))),
        isPointReached: true,
        text: `${request.prefix ? '' : request.point.after}${likeliest}`,
        usage: NO_USAGE,
      };
    },
    async dispose() {},
  };
}

function player<Request, Answer>(script: Script<Request, Answer>): (request: Request) => Answer | Promise<Answer> {
  let turn = 0;
  if (typeof script === 'function') return script as (request: Request) => Answer | Promise<Answer>;
  if (!Array.isArray(script)) return () => script as Answer;
  return () => {
    if (turn >= script.length) throw new Error(`The script has ${script.length} answers and was asked for one more.`);
    return script[turn++] as Answer;
  };
}
