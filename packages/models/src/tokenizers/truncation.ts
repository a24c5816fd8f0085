import { ConfigError } from 'onnx-grad';
import type { JsonObject } from '../files/json.ts';

/** How much of each text stays when both together are too long. */

/** Where texts are cut: `truncation_side` of tokenizer_config.json. */
export type TruncationSide = 'left' | 'right';

export function readTruncationSide(config: JsonObject): TruncationSide {
  return config.truncation_side === 'left' ? 'left' : 'right';
}

/** transformers' names. */
export type Truncation = 'longest_first' | 'only_first' | 'only_second' | 'do_not_truncate';

/**
 * Cutting two texts to an odd total leaves one token over. transformers has two rules: its Python tokenizers give it to
 * the first text, the tokenizers library to the longer text, or to the second when they are equally long.
 */
export type OddToken = 'first' | 'longer';

interface Lengths {
  readonly first: number;
  readonly second: number;
}

/**
 * Tokens to keep of each text.
 * @param second length of the second text, undefined when there is none
 * @param budget tokens for both, special tokens already subtracted; Infinity for no limit
 * @throws ConfigError when the strategy cannot reach the budget
 * Source: transformers 4.57 `truncate_sequences`; tokenizers 0.23 `truncate_encodings`
 */
export function truncate(
  first: number,
  second: number | undefined,
  budget: number,
  strategy: Truncation,
  oddToken: OddToken,
): Lengths {
  const surplus = first + (second ?? 0) - budget;
  if (surplus <= 0) return { first, second: second ?? 0 };
  return strategies[strategy]({ first, second, budget, surplus, oddToken });
}

interface Request {
  readonly first: number;
  readonly second: number | undefined;
  readonly budget: number;
  readonly surplus: number;
  readonly oddToken: OddToken;
}

const strategies: { readonly [S in Truncation]: (request: Request) => Lengths } = {
  longest_first: ({ first, second, budget, oddToken }) => {
    if (second === undefined) return { first: budget, second: 0 };
    const half = Math.floor(budget / 2);
    if (Math.min(first, second) <= half) {
      return first < second ? { first, second: budget - first } : { first: budget - second, second };
    }
    const isOddInFirst = oddToken === 'first' || first > second;
    return isOddInFirst ? { first: budget - half, second: half } : { first: half, second: budget - half };
  },
  only_first: ({ first, second, surplus }) => ({ first: cut(first, surplus, 'only_first'), second: second ?? 0 }),
  only_second: ({ first, second, surplus }) => {
    if (second === undefined) throw new ConfigError('Truncation "only_second" needs a second text.');
    return { first, second: cut(second, surplus, 'only_second') };
  },
  do_not_truncate: ({ first, second }) => ({ first, second: second ?? 0 }), // longer than asked, as in transformers
};

function cut(length: number, surplus: number, strategy: Truncation): number {
  if (length <= surplus) {
    const message = `Truncation "${strategy}": the text has ${length} tokens, but ${surplus} have to go.`;
    throw new ConfigError(`${message} Use "longest_first" or a larger maxLength.`);
  }
  return length - surplus;
}
