/** What of a request the model reads in one go: a window of the prompt, with one of the response where there is one. */
import type { Encoded, Tokenizer } from '@harmaug/models';
import { cutWindows, type Window } from '../windows.ts';
import { cutSentences, lookCloser } from './sentences.ts';

export interface Frame {
  readonly prompt: Window;
  readonly response?: Window;
  /** What a closer look at a sentence reads: made when it is asked for. */
  readonly closer?: () => Frame[];
}

const SENTENCE_TOKENS = 64; // longer ones have windows of their own
const LEAST_UNKNOWN = 500; // characters of a text that is taken apart though it fits
const MOST_CHARACTERS = 7; // a token has in any language; English has four to five
const CLOSER_TOKENS = 192; // of a sentence with its neighbours
const NOTHING: Window = { begin: 0, end: 0, ids: [] };

/** Whether a text has far fewer tokens than words would have. */
const isUnknown = ({ prompt, response }: Frame): boolean =>
  [prompt, response].some((window) => {
    const characters = window ? window.end - window.begin : 0;
    return characters >= LEAST_UNKNOWN && characters > MOST_CHARACTERS * window!.ids.length;
  });

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

  /**
   * One frame where everything fits; else windows, and with `hasSentences` every sentence by itself too. What fits because
   * its tokenizer knows little of it, as thousands of emoji may, is taken apart all the same.
   */
  frames(prompt: string, response: string | undefined, hasSentences: boolean): Frame[] {
    const windows = this.#windows(prompt, response);
    const isApart = hasSentences && (windows.length > 1 || windows.some(isUnknown));
    return isApart ? [...windows, ...this.#sentences(prompt, response)] : windows;
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
    if (response === undefined) return this.#closely(prompt, budget, (window) => ({ prompt: window }));
    const head = this.head(prompt, budget);
    return [
      ...this.#closely(prompt, budget, (window) => ({ prompt: window, response: NOTHING })),
      ...this.#closely(response, budget, (window) => ({ prompt: head, response: window })),
    ];
  }

  #closely(text: string, budget: number, toFrame: (window: Window) => Frame): Frame[] {
    const { tokenize } = this.#tokenizer;
    const windows = cutSentences(tokenize, text, budget);
    const most = Math.min(CLOSER_TOKENS, Math.floor(this.pair / 2));
    return windows.map((window, index) => ({
      ...toFrame(window),
      closer: () => lookCloser(tokenize, text, windows, index, most).map(toFrame),
    }));
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
