/** What we ask of a model, wherever it runs: to go on from words we wrote, and how likely certain words come next. */
import type { Message, RenderOptions } from '../templates/render.ts';
import type { Prompt } from '../templates/segments.ts';

/** What stands before the model's own words. */
export type Input = ChatInput | TextInput;

/** A conversation, to be written in the model's own chat template. */
export interface ChatInput {
  readonly kind: 'chat';
  readonly messages: readonly Message[];
  /** Variables and content form of the template. */
  readonly render?: Pick<RenderOptions, 'variables' | 'content'>;
  /** A part of the template's own text to be replaced; needs a provider that renders here. */
  readonly replace?: { readonly begin: string; readonly end: string; readonly text: string };
}

/** A text that is complete as it is, template and all. */
export interface TextInput {
  readonly kind: 'text';
  readonly prompt: Prompt;
}

interface Request {
  /** Names the call in errors. */
  readonly id: string;
  readonly input: Input;
  /** How the model's turn begins: written by us, never repeated in the answer. */
  readonly prefix?: string;
  readonly signal?: AbortSignal;
}

export interface GenerateRequest extends Request {
  readonly maxTokens: number;
  /** 0 takes the likeliest token each time. Default 0. */
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
}

export type FinishReason = 'stop' | 'length' | 'filter' | 'other';

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface Generation {
  /** What the model wrote after the prefix. */
  readonly text: string;
  readonly finishReason: FinishReason;
  /** As the server calls it. */
  readonly rawFinishReason: string | null;
  readonly usage: Usage;
  readonly warnings: readonly string[];
}

/** Which token's alternatives are read. */
export interface Point {
  /** After this text, which the model writes itself; '' is where it begins. White space in between is skipped. */
  readonly after: string;
  /** Alternatives of that token, or added up over every token from there on. */
  readonly positions: 'first' | 'every';
}

/**
 * How a word is found among tokens: `exact` takes the token that the word begins with, as written; `folded` adds up all
 * tokens that are the word but for case and space.
 */
export type Match = 'exact' | 'folded';

export interface NextTokensRequest extends Request {
  readonly point: Point;
  readonly candidates: readonly string[];
  readonly match: Match;
  /** Most tokens the model writes, the point's own included. Those after it are in `text`. */
  readonly maxTokens: number;
}

/** A candidate's natural logarithm of probability, or why there is none. */
export type CandidateLogprob = number | 'missing' | 'not-a-number';

export interface NextTokens {
  /** One a candidate, in order; all 'missing' where the model never came to the point. */
  readonly logprobs: readonly CandidateLogprob[];
  readonly isPointReached: boolean;
  /** What the model wrote after the prefix, taking the likeliest token each time. */
  readonly text: string;
  readonly usage: Usage;
}

export interface Provider {
  readonly name: string;
  /** Where answers come from, without secrets: saved with what is made of them. */
  readonly about: Readonly<Record<string, string | number>>;
  /** Whether prompts are put together here: any text can be asked, and a prefix is always gone on from. */
  readonly rendersHere: boolean;
  /** Most alternatives a token comes with; 0: none, so that `nextTokens` cannot work. */
  readonly maxTopLogprobs: number;
  /** @throws ProviderError */
  generate(request: GenerateRequest): Promise<Generation>;
  /** @throws ProviderError */
  nextTokens(request: NextTokensRequest): Promise<NextTokens>;
  dispose(): Promise<void>;
}
