import { ConfigError } from 'onnx-grad';
import { type OddToken, type Truncation, type TruncationSide, truncate } from './truncation.ts';

/**
 * What every tokenizer can do. A kind of tokenizer supplies `TokenizerParts`: text to ids, ids to text, and its template;
 * joining pairs, special tokens and truncation are the same for all and live here.
 *
 * User text is data. By default (`specialTokensInText: 'text'`) "[CLS]" or "</s>" inside a text is spelled out like any
 * other characters and can never become a control token. 'tokens' is what transformers does unless
 * `split_special_tokens` is set; it exists for comparing with it.
 */
export type SpecialTokensInText = 'text' | 'tokens';

export type TokenizerKind = 'wordpiece' | 'bpe' | 'unigram' | 'sentencepiece';

/** Ids of the tokens with a role; undefined where a tokenizer lacks it. */
export interface SpecialIds {
  readonly pad: number;
  readonly unk: number | undefined;
  readonly cls: number | undefined;
  readonly sep: number | undefined;
  readonly mask: number | undefined;
}

export interface EncodeOptions {
  /** Most tokens in the result, special ones included. Default: no limit. */
  readonly maxLength?: number;
  /** What gives way when `maxLength` is exceeded. Default 'longest_first'. */
  readonly truncation?: Truncation;
}

export interface Encoded {
  readonly ids: number[];
  /** 0 for the first text, 1 for the second, as the template says. Same length as `ids`. */
  readonly typeIds: number[];
  /** Tokens of the texts left out by truncation. */
  readonly removedTokens: number;
}

export interface Tokenizer {
  readonly kind: TokenizerKind;
  /** One more than the largest id, added tokens included. */
  readonly vocabSize: number;
  readonly padId: number;
  readonly special: SpecialIds;
  /** Ids of a text alone, without special tokens or truncation: the material for windows. */
  tokenize(text: string): number[];
  /** Puts special tokens around ids that `tokenize` gave, truncating if asked. */
  assemble(first: readonly number[], second: readonly number[] | undefined, options?: EncodeOptions): Encoded;
  /** `assemble(tokenize(text), tokenize(pair))`. An empty `pair` is a second text, as in a batch of transformers. */
  encode(text: string, pair?: string, options?: EncodeOptions): Encoded;
  /** Text of ids; spacing is approximate where the tokenizer does not keep it. */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
}

export type TemplateItem = { readonly id: number; readonly typeId: number } | Slot;
interface Slot {
  readonly sequence: 'first' | 'second';
  readonly typeId: number;
}

/** What stands around one text, and around two. */
export interface Template {
  readonly single: readonly TemplateItem[];
  readonly pair: readonly TemplateItem[];
}

export interface TokenizerParts {
  readonly kind: TokenizerKind;
  readonly vocabSize: number;
  readonly special: SpecialIds;
  /** Ids that `skipSpecialTokens` leaves out. */
  readonly controlIds: ReadonlySet<number>;
  readonly template: Template;
  /** Which text keeps the odd token when two are cut to the same length. */
  readonly oddToken: OddToken;
  readonly truncationSide: TruncationSide;
  readonly tokenize: (text: string) => number[];
  readonly decode: (ids: readonly number[]) => string;
}

/** A tokenizer from its parts. */
export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const { kind, vocabSize, special, controlIds, template, oddToken, truncationSide, tokenize } = parts;

  function assemble(first: readonly number[], second?: readonly number[], options: EncodeOptions = {}): Encoded {
    const items = second === undefined ? template.single : template.pair;
    const added = items.filter((item) => 'id' in item).length;
    const { maxLength = Infinity, truncation = 'longest_first' } = options;
    if (!(maxLength >= added) || (maxLength !== Infinity && !Number.isInteger(maxLength))) {
      throw new ConfigError(
        `maxLength must be a whole number of at least ${added} (special tokens), got ${maxLength}.`,
      );
    }
    const lengths = truncate(first.length, second?.length, maxLength - added, truncation, oddToken);
    const ids: number[] = [];
    const typeIds: number[] = [];
    for (const item of items) {
      if ('id' in item) {
        ids.push(item.id);
        typeIds.push(item.typeId);
        continue;
      }
      const [source, count] = item.sequence === 'first' ? [first, lengths.first] : [second ?? [], lengths.second];
      const begin = truncationSide === 'left' ? source.length - count : 0;
      for (let i = begin; i < begin + count; i++) {
        ids.push(source[i]!);
        typeIds.push(item.typeId);
      }
    }
    const removedTokens = first.length + (second?.length ?? 0) - lengths.first - lengths.second;
    return { ids, typeIds, removedTokens };
  }

  return {
    kind,
    vocabSize,
    special,
    padId: special.pad,
    tokenize,
    assemble,
    encode: (text, pair, options) => assemble(tokenize(text), pair === undefined ? undefined : tokenize(pair), options),
    decode: (ids, options) => {
      return parts.decode(options?.skipSpecialTokens === true ? ids.filter((id) => !controlIds.has(id)) : ids);
    },
  };
}
