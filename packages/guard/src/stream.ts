/** A response checked while it is written: the newest window only, so that the cost grows with its length. */
import { ConfigError } from 'onnx-grad';
import type { CheckOptions, GuardAnswer, GuardRequest } from './guard.ts';
import type { Framer } from './scoring/frames.ts';

export interface StreamOptions extends CheckOptions {
  /** New tokens of the response after which it is checked. Default 32. */
  readonly everyTokens?: number;
}

export interface StreamApi {
  push(chunk: string): Promise<GuardAnswer | null>;
  end(): Promise<GuardAnswer>;
}

/** What a stream needs of its guard. */
export interface StreamParts {
  readonly prompt: string;
  readonly framer: Framer;
  readonly countTokens: (text: string) => number;
  readonly check: (request: GuardRequest, options: CheckOptions) => Promise<GuardAnswer>;
  /** The same in windows alone: a window of a response that grows has been short. */
  readonly checkNewest: StreamParts['check'];
}

const EVERY_TOKENS = 32;

/** @throws ConfigError for a number that is none */
export function readEveryTokens({ everyTokens = EVERY_TOKENS }: StreamOptions): number {
  if (Number.isInteger(everyTokens) && everyTokens >= 1) return everyTokens;
  throw new ConfigError(`everyTokens: expected a whole number of at least 1, got ${everyTokens}.`);
}

export class GuardStream implements StreamApi {
  readonly #parts: StreamParts;
  readonly #options: StreamOptions;
  readonly #everyTokens: number;
  /** Of the prompt, beside every window of the response. */
  readonly #head: string;
  /** Tokens of the response beside that. */
  readonly #room: number;
  #first = '';
  /** The newest window and what came since; it begins at `#begin` of the response. */
  #tail = '';
  #begin = 0;
  #newTokens = 0;
  #worst: Promise<GuardAnswer | null> = Promise.resolve(null);
  #hasEnded = false;

  constructor(parts: StreamParts, options: StreamOptions = {}) {
    this.#everyTokens = readEveryTokens(options);
    const { prompt, framer } = parts;
    const head = framer.head(prompt, Math.floor(framer.pair / 2));
    this.#parts = parts;
    this.#options = options;
    this.#head = prompt.slice(0, head.end);
    this.#room = framer.pair - head.ids.length;
  }

  /** Adds to the response. @returns what the guard says of its newest window, or `null` while too little is new */
  async push(chunk: string): Promise<GuardAnswer | null> {
    if (this.#hasEnded) throw new ConfigError('This stream has ended.');
    this.#tail += chunk;
    this.#newTokens += this.#parts.countTokens(chunk);
    return this.#newTokens < this.#everyTokens ? null : this.#checkTail();
  }

  /** Checks what is left, and the rest of a long prompt. @returns the worst answer of all */
  async end(): Promise<GuardAnswer> {
    if (this.#hasEnded) throw new ConfigError('This stream has ended.');
    this.#hasEnded = true;
    void this.#checkTail();
    const { prompt, framer } = this.#parts;
    if (this.#head.length < prompt.length) {
      const { end } = framer.head(this.#first, framer.pair - Math.floor(framer.pair / 2));
      this.#note(this.#parts.check({ prompt, response: this.#first.slice(0, end) }, this.#options));
    }
    return (await this.#worst)!;
  }

  #checkTail(): Promise<GuardAnswer> {
    const [tail, begin] = [this.#tail, this.#begin];
    if (begin === 0) this.#first = tail;
    this.#newTokens = 0;
    const last = this.#parts.framer.cut(tail, this.#room).at(-1)!;
    this.#begin += last.begin;
    this.#tail = tail.slice(last.begin);
    const checked = this.#parts
      .checkNewest({ prompt: this.#head, response: tail }, this.#options)
      .then((answer) => moved(answer, begin));
    this.#note(checked);
    return checked;
  }

  /** Remembers the worst answer; a failure is remembered too, and thrown by `end`. */
  #note(checked: Promise<GuardAnswer>): void {
    const worst = this.#worst;
    this.#worst = Promise.all([worst, checked]).then(([old, one]) => (old && old.score >= one.score ? old : one));
    this.#worst.catch(() => {});
  }
}

/** The answer with its place in the whole response. */
function moved(answer: GuardAnswer, by: number): GuardAnswer {
  const { prompt, response } = answer.window;
  return { ...answer, window: { prompt, response: [response![0] + by, response![1] + by] } };
}
