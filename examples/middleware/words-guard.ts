/** A guard of the tests, which finds certain words unsafe: it shows what the middlewares do with a verdict. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import type { AnyGuard } from './checked.ts';

export const UNSAFE_WORD = 'stupid';

export function wordsGuard({ everyCharacters = 12 } = {}): AnyGuard & { readonly seen: GuardRequest[] } {
  const seen: GuardRequest[] = [];
  const check = async (request: GuardRequest): Promise<GuardAnswer> => {
    seen.push(request);
    const isUnsafe = (request.response ?? request.prompt).includes(UNSAFE_WORD);
    const window = { prompt: [0, request.prompt.length] } as const;
    return { score: isUnsafe ? 0.9 : 0.1, verdict: isUnsafe ? 'unsafe' : 'safe', threshold: 0.5, window, windows: 1 };
  };
  return {
    seen,
    check,
    stream({ prompt }) {
      let [response, fresh] = ['', 0];
      return {
        async push(chunk) {
          response += chunk;
          fresh += chunk.length;
          if (fresh < everyCharacters) return null;
          fresh = 0;
          return check({ prompt, response });
        },
        end: () => check({ prompt, response }),
      };
    },
  };
}
