/** A guard: requests of any length in, a verdict and its place in the text out. */
import type { BatchLimits, Tokenizer } from '@harmaug/models';
import { ConfigError } from 'onnx-grad';
import { type Normalised, normalise } from './normalise.ts';
import { type Frame, Framer } from './scoring/frames.ts';
import { type Classify, type Scored, ScoreQueue } from './scoring/queue.ts';
import type { GuardSettings } from './settings.ts';
import { GuardStream, type StreamApi, type StreamOptions } from './stream.ts';
import { findViews } from './views/find.ts';
import type { ViewName } from './views/views.ts';
import type { Place } from './windows.ts';

export interface GuardRequest {
  readonly prompt: string;
  /** What the assistant said to it. An empty one counts as one. */
  readonly response?: string;
}

export interface GuardAnswer {
  /** p(unsafe) of the worst window, 0 to 1. */
  readonly score: number;
  readonly verdict: 'safe' | 'unsafe';
  /** The score from which the verdict is "unsafe". */
  readonly threshold: number;
  /** The hazard that fits the worst window best, where the guard was trained to tell. */
  readonly category?: string;
  /** Where the worst window lies in the texts as they were given. */
  readonly window: { readonly prompt: Place; readonly response?: Place };
  /** How many windows were scored, views included. */
  readonly windows: number;
  /** How the worst window was encoded, where it was. */
  readonly view?: ViewName;
}

export interface CheckOptions {
  readonly signal?: AbortSignal;
}

/** A loaded guard, wherever it runs. */
export interface GuardApi {
  readonly settings: GuardSettings;
  check(request: GuardRequest, options?: CheckOptions): Promise<GuardAnswer>;
  checkMany(requests: readonly GuardRequest[], options?: CheckOptions): Promise<GuardAnswer[]>;
  stream(request: Pick<GuardRequest, 'prompt'>, options?: StreamOptions): StreamApi;
  dispose(): Promise<void>;
}

export interface GuardParts {
  readonly tokenizer: Tokenizer;
  readonly classify: Classify;
  readonly limits: BatchLimits;
  readonly settings: GuardSettings;
  /** Which label is the unsafe one. */
  readonly unsafe: 0 | 1;
  /** In the order of the model's `categories`; none without such a head. */
  readonly categoryNames: readonly string[];
  /** Tokens of a window, special ones included; longer texts have several. */
  readonly maxLength: number;
  readonly release: () => Promise<void>;
}

/** A frame, and how its offsets become those of the request. */
interface Job {
  readonly frame: Frame;
  readonly promptPlace: (frame: Frame) => Place;
  readonly responsePlace: (frame: Frame) => Place;
  readonly view?: ViewName;
}

const LEAST_TOKENS = 16; // of text in a window: fewer say nothing

const MOST_CLOSER = 8; // sentences that are looked at closer
const SENTENCES_FOR_ONE = 12; // so that a short text costs little more
const SUSPICIOUS = 0.2; // share of the threshold that a sentence must reach by itself
const CERTAIN = 0.98; // p from which a closer look has nothing to add

export class GuardCore implements GuardApi {
  readonly settings: GuardSettings;
  /** The hazards it tells apart; none without such a head. */
  readonly categories: readonly string[];
  readonly framer: Framer;
  readonly #parts: GuardParts;
  readonly #queue: ScoreQueue;
  #isDisposed = false;

  /** @throws ConfigError for windows too short to hold a text */
  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.settings = parts.settings;
    this.categories = parts.categoryNames;
    this.framer = new Framer(parts.tokenizer, parts.maxLength);
    if (!(this.framer.pair >= LEAST_TOKENS)) {
      const least = parts.maxLength - this.framer.pair + LEAST_TOKENS;
      throw new ConfigError(`maxLength: expected at least ${least} tokens, got ${parts.maxLength}.`);
    }
    this.#queue = new ScoreQueue(parts.classify, parts.limits);
  }

  /** @throws ConfigError for what is no request; the signal's reason when it is aborted */
  async check(request: GuardRequest, options: CheckOptions = {}): Promise<GuardAnswer> {
    return this.#check(request, this.settings.sentences, options);
  }

  /** In the order of the requests, in as few batches as their lengths allow. */
  checkMany(requests: readonly GuardRequest[], options: CheckOptions = {}): Promise<GuardAnswer[]> {
    return Promise.all(requests.map((request) => this.check(request, options)));
  }

  /**
   * Checks a response while it is written.
   * @example
   * const stream = guard.stream({ prompt });
   * for await (const chunk of reply) if ((await stream.push(chunk))?.verdict === 'unsafe') break;
   * const answer = await stream.end();
   */
  stream({ prompt }: Pick<GuardRequest, 'prompt'>, options: StreamOptions = {}): GuardStream {
    checkRequest({ prompt });
    const parts = {
      prompt,
      framer: this.framer,
      countTokens: (text: string) => this.#parts.tokenizer.tokenize(text).length,
      checkNewest: (request: GuardRequest, { signal }: CheckOptions) =>
        this.#check(request, false, signal ? { signal } : {}),
      check: (request: GuardRequest, { signal }: CheckOptions) => this.check(request, signal ? { signal } : {}),
    };
    return new GuardStream(parts, options);
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.#parts.release();
  }

  async #check(request: GuardRequest, sentences: boolean, options: CheckOptions): Promise<GuardAnswer> {
    if (this.#isDisposed) throw new ConfigError('This guard was disposed of.');
    checkRequest(request);
    options.signal?.throwIfAborted();
    return this.#judge(this.#jobs(request, sentences), options);
  }

  #jobs({ prompt, response }: GuardRequest, sentences: boolean): Job[] {
    const [first, second] = [this.#read(prompt), this.#read(response ?? '')];
    const promptPlace = ({ prompt: window }: Frame): Place => placeIn(first, window);
    const responsePlace = ({ response: window }: Frame): Place => placeIn(second, window!);
    const plain = this.framer.frames(first.text, response === undefined ? undefined : second.text, sentences);
    const jobs: Job[] = plain.map((frame) => ({ frame, promptPlace, responsePlace }));
    if (!this.settings.views) return jobs;
    const [{ prompt: promptHead, response: responseHead }] = plain as [Frame];
    for (const found of findViews(first.text)) {
      const beside = responseHead && second.text.slice(responseHead.begin, responseHead.end);
      for (const frame of this.framer.frames(found.text, beside, sentences)) {
        jobs.push({ frame, promptPlace: () => placeIn(first, found), responsePlace, view: found.view });
      }
    }
    if (response === undefined) return jobs;
    const beside = first.text.slice(promptHead.begin, promptHead.end);
    for (const found of findViews(second.text)) {
      for (const frame of this.framer.frames(beside, found.text, sentences)) {
        jobs.push({ frame, promptPlace, responsePlace: () => placeIn(second, found), view: found.view });
      }
    }
    return jobs;
  }

  #read(text: string): Normalised {
    return this.settings.normalise ? normalise(text) : { text, toOriginal: (offset) => offset };
  }

  async #judge(first: readonly Job[], { signal }: CheckOptions): Promise<GuardAnswer> {
    const { unsafe, categoryNames } = this.#parts;
    const { threshold, temperature } = this.settings;
    const marginOf = ({ margin }: Scored): number => (unsafe === 1 ? margin : -margin);
    const scoreAll = (jobs: readonly Job[]) =>
      Promise.all(jobs.map(({ frame }) => this.#queue.score(this.framer.encode(frame), signal)));
    const probability = (margin: number): number => 1 / (1 + Math.exp(-margin / temperature));
    const seen = await scoreAll(first);
    const closer = closerJobs(
      first,
      seen.map((one) => probability(marginOf(one))),
      threshold,
    );
    const jobs = [...first, ...closer];
    const scored = closer.length === 0 ? seen : [...seen, ...(await scoreAll(closer))];
    const worst = scored.reduce((best, one, index) => (marginOf(one) > marginOf(scored[best]!) ? index : best), 0);
    const { category } = scored[worst]!;
    const { frame, promptPlace, responsePlace, view } = jobs[worst]!;
    const score = probability(marginOf(scored[worst]!));
    const name = category === null ? undefined : categoryNames[category];
    return {
      score,
      verdict: score >= threshold ? 'unsafe' : 'safe',
      threshold,
      ...(name === undefined ? {} : { category: name }),
      window: { prompt: promptPlace(frame), ...(frame.response ? { response: responsePlace(frame) } : {}) },
      windows: jobs.length,
      ...(view === undefined ? {} : { view }),
    };
  }
}

/**
 * The worst sentences that arouse some suspicion read again, in parts and with their neighbours: what hides in one lifts its
 * score all the same.
 * @param scores p(unsafe) of the jobs
 */
function closerJobs(jobs: readonly Job[], scores: readonly number[], threshold: number): Job[] {
  if (scores.some((score) => score >= CERTAIN)) return [];
  const sentences = [...jobs.keys()].filter((index) => jobs[index]!.frame.closer);
  const most = Math.min(MOST_CLOSER, Math.ceil(sentences.length / SENTENCES_FOR_ONE));
  const worst = sentences.sort((a, b) => scores[b]! - scores[a]!).slice(0, most);
  return worst.flatMap((index) => {
    if (scores[index]! < SUSPICIOUS * threshold) return [];
    const { frame, ...rest } = jobs[index]!;
    return frame.closer!().map((closer) => ({ ...rest, frame: closer }));
  });
}

function placeIn({ toOriginal }: Normalised, { begin, end }: { begin: number; end: number }): Place {
  return [toOriginal(begin), toOriginal(end)];
}

/** @throws ConfigError for what is no request */
export function checkRequest(request: GuardRequest): void {
  for (const name of ['prompt', 'response'] as const) {
    const value: unknown = request[name];
    if (typeof value === 'string' || (name === 'response' && value === undefined)) continue;
    throw new ConfigError(`${name}: expected a string, got ${value === null ? 'null' : typeof value}.`);
  }
}
