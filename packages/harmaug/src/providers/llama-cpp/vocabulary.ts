/** Between prompts, tokens and words, with the tokenizer of a GGUF. */
import type { LlamaModel, Token } from 'node-llama-cpp';
import { splitRuns } from '../../templates/encode.ts';
import type { Prompt } from '../../templates/segments.ts';
import type { Match } from '../provider.ts';

const TAIL_CHARS = 48; // enough for a tokenizer to join a word with what stands before it
const LAST_TOKENS = 4; // that detokenize looks back on

export class Vocabulary {
  readonly #model: LlamaModel;
  readonly #controls: readonly string[];
  readonly #folded = new Map<string, readonly Token[]>();

  constructor(model: LlamaModel, controls: readonly string[]) {
    this.#model = model;
    this.#controls = controls;
  }

  /** A prompt's tokens, BOS included where the model wants one. Data never becomes a control token. */
  encode(prompt: Prompt): Token[] {
    const tokens = splitRuns(prompt, this.#controls).flatMap(({ text, isControl }) =>
      this.#model.tokenize(text, isControl),
    );
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
  }

  /** Text of tokens that follow others; control tokens are left out. */
  decode(tokens: readonly Token[], before: readonly Token[]): string {
    return this.#model.detokenize(tokens, false, before.slice(-LAST_TOKENS));
  }

  /** Text of one token, control tokens spelled out. */
  decodeOne(token: Token, before: readonly Token[]): string {
    return this.#model.detokenize([token], true, before.slice(-LAST_TOKENS));
  }

  /** The tokens that stand for a word at a point: its first one, or all that spell it but for case and space. */
  tokensOf(word: string, match: Match, before: readonly Token[]): readonly Token[] {
    if (match === 'folded') return this.#foldedTokens(word);
    const first = this.#firstToken(word, this.#tail(before));
    return first === undefined ? [] : [first];
  }

  /** What a tokenizer would put first for the word, after the text it follows. */
  #firstToken(word: string, tail: string): Token | undefined {
    const whole = this.#model.tokenize(tail === '' ? word.trimStart() : tail + word, false);
    const alone = tail === '' ? [] : this.#model.tokenize(tail, false);
    if (alone.every((token, index) => token === whole[index])) return whole[alone.length];
    return this.#model.tokenize(word, false, 'trimLeadingSpace')[0]; // the word would join with the text before it
  }

  /** Plain text before the point, back to the last control token. */
  #tail(before: readonly Token[]): string {
    const last = before.findLastIndex((token) => this.#model.isSpecialToken(token));
    return this.#model
      .detokenize(before.slice(Math.max(last + 1, before.length - TAIL_CHARS)), false)
      .slice(-TAIL_CHARS);
  }

  #foldedTokens(word: string): readonly Token[] {
    const wanted = word.trim().toLowerCase();
    const known = this.#folded.get(wanted);
    if (known) return known;
    const tokens = [...this.#model.iterateAllTokens()].filter(
      (token) => this.#model.detokenize([token], false).trim().toLowerCase() === wanted,
    );
    this.#folded.set(wanted, tokens);
    return tokens;
  }
}
