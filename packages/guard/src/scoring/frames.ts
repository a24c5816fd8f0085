/** What of a request the model reads in one go: a window of the prompt, with one of the response where there is one. */
import type { Encoded, Tokenizer } from '@harmaug/models';
import { cutSentences, cutWindows, type Window } from '../windows.ts';

export interface Frame {
  readonly prompt: Window;
  readonly response?: Window;
}

const SENTENCE_TOKENS = 64; // longer ones have windows of their own
const NOTHING: Window = { begin: 0, end: 0, ids: [] };

/** Cuts requests to what a model has positions for. */
export class Framer {
  readonly #tokenizer: Tokenizer;
  /** Tokens of text beside the template's, of one text and of two. */
  readonly single: number;
  readonly pair: number;

  /** @param maxLength tokens of an input, special ones included */
  constructor(tokenizer: Tokenizer, maxLength: number) {
    this.#tokenizer = tokenizer;
    this.single = maxLength - tokenizer.assemble([], undefined).ids.length;
    this.pair = maxLength - tokenizer.assemble([], []).ids.length;
  }

  cut(text: string, budget: number): Window[] {
    return cutWindows(this.#tokenizer.tokenize, text, budget);
  }

  /** One frame where everything fits; else windows, and with `hasSentences` every sentence by itself too. */
  frames(prompt: string, response: string | undefined, hasSentences: boolean): Frame[] {
    const windows = this.#windows(prompt, response);
    return windows.length === 1 || !hasSentences ? windows : [...windows, ...this.#sentences(prompt, response)];
  }

  /**
   * Every window of the one text beside the head of the other; the head is all of a text that takes half of the room at
   * most. So their number grows with the sum of the lengths, not with the product.
   */
  #windows(prompt: string, response: string | undefined): Frame[] {
    if (response === undefined) return this.cut(prompt, this.single).map((window) => ({ prompt: window }));
    const half = Math.floor(this.pair / 2);
    const [first, second] = [this.head(prompt, half), this.head(response, this.pair - half)];
    const besidePrompt = () =>
      this.cut(response, this.pair - first.ids.length).map((window) => ({ prompt: first, response: window }));
    const besideResponse = () =>
      this.cut(prompt, this.pair - second.ids.length).map((window) => ({ prompt: window, response: second }));
    if (first.end === prompt.length) return besidePrompt();
    if (second.end === response.length) return besideResponse();
    return [...besideResponse(), ...besidePrompt()];
  }

  /** Those of the prompt with nothing beside them, those of the response with the prompt's head, so that nothing hides them. */
  #sentences(prompt: string, response: string | undefined): Frame[] {
    const budget = Math.min(SENTENCE_TOKENS, Math.floor(this.pair / 2));
    const cut = (text: string): Window[] => cutSentences(this.#tokenizer.tokenize, text, budget);
    if (response === undefined) return cut(prompt).map((window) => ({ prompt: window }));
    const head = this.head(prompt, budget);
    return [
      ...cut(prompt).map((window) => ({ prompt: window, response: NOTHING })),
      ...cut(response).map((window) => ({ prompt: head, response: window })),
    ];
  }

  /** The text's first window; only what may be in it is looked at. */
  head(text: string, budget: number): Window {
    const [window] = this.cut(text, budget);
    return window!;
  }

  encode({ prompt, response }: Frame): Encoded {
    return this.#tokenizer.assemble(prompt.ids, response?.ids);
  }
}
