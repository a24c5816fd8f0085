/** What a family of guards is: how it is asked, where its verdict stands, what its words mean. */
import type { Input, Match, Point } from '../providers/provider.ts';
import type { Message } from '../templates/render.ts';
import type { Sides } from './verdict.ts';

export interface Judged {
  readonly id: string;
  readonly prompt: string;
  /** Absent: the prompt alone is judged. */
  readonly response?: string;
}

export interface Question {
  /** Of several questions about one text: what this one is about, and the category if it is the worst. */
  readonly about: string | null;
  readonly input: Input;
  /** What the model writes by itself before its verdict. Written for it where we put the prompt together. */
  readonly lead: string;
  /** The verdict comes after this, if not right after the lead. */
  readonly after?: string;
  readonly positions: Point['positions'];
  readonly match: Match;
  readonly candidates: readonly string[];
  readonly sides: Sides;
  /** Of the verdict and what follows it. */
  readonly maxTokens: number;
}

export interface Family {
  readonly summary: string;
  readonly license: string;
  /** Where its prompt comes from: the template that comes with the model, one that the user gives, or our own text. */
  readonly prompt: 'model template' | 'given template' | 'own text';
  /** What becomes of the user's policy. */
  readonly policy: 'replaces' | 'needed' | 'none';
  readonly judges: 'prompts and responses' | 'responses';
  /** Questions about one text; the worst answer counts. @param policy the user's own, where the family takes one */
  readonly ask: (judged: Judged, policy: string | undefined) => readonly Question[];
  /** The category in what the model wrote, if it names one. */
  readonly category: (text: string) => string | null;
}

/** The conversation as it was. */
export function messagesOf({ prompt, response }: Judged): Message[] {
  const user: Message = { role: 'user', content: prompt };
  return response === undefined ? [user] : [user, { role: 'assistant', content: response }];
}

/** First match of a code such as S9. */
export function codeIn(text: string, pattern: RegExp): string | null {
  return pattern.exec(text)?.[0] ?? null;
}
