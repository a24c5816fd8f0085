/**
 * Which words moved a score: each is left out once, and the score without it compared with the score of the whole.
 * The change is one of log-odds, since a score near 0 or 1 hardly moves. Words that say the same thing twice hide each
 * other: without one of them the other still holds the score.
 * Source: Li, Monroe, Jurafsky 2016, Understanding Neural Networks through Representation Erasure, arXiv:1612.08220
 */
import type { GuardApi, GuardRequest } from '@harmaug/guard';
import { cutWords, joinWords, type Stretch, without } from './words.ts';

/** A word, or several neighbours of a long text. */
export interface Part extends Stretch {
  readonly field: 'prompt' | 'response';
}

export interface Effect extends Part {
  /** Of the text without it. */
  readonly score: number;
  /** Log-odds that it adds: above 0 towards unsafe, below towards safe. */
  readonly change: number;
}

export interface ExplainOptions {
  readonly signal?: AbortSignal;
  /** Checks at most; a text of more words is taken apart in groups of neighbours. */
  readonly mostParts?: number;
}

export const MOST_PARTS = 96;
const AT_ONCE = 4; // checks between two reports of progress: a new text waits for no more

/** What will be left out, one after the other. */
export function partsOf({ prompt, response = '' }: GuardRequest, most = MOST_PARTS): Part[] {
  const [ofPrompt, ofResponse] = [cutWords(prompt), cutWords(response)];
  const share = most / Math.max(1, ofPrompt.length + ofResponse.length);
  const cut = (words: readonly Stretch[], field: Part['field']): Part[] => {
    if (words.length === 0) return [];
    const room = share >= 1 ? words.length : Math.max(1, Math.floor(words.length * share));
    return joinWords(words, room).map((stretch) => ({ field, ...stretch }));
  };
  return [...cut(ofPrompt, 'prompt'), ...cut(ofResponse, 'response')];
}

/**
 * @param request what fits one window of the guard
 * @yields the effects of a few parts at a time, in order
 * @throws what `checkMany` throws, the signal's reason among it
 */
export async function* explain(
  guard: Pick<GuardApi, 'checkMany'>,
  request: GuardRequest,
  { signal, mostParts = MOST_PARTS }: ExplainOptions = {},
): AsyncGenerator<readonly Effect[]> {
  const options = signal ? { signal } : {};
  const parts = partsOf(request, mostParts);
  const [whole] = await guard.checkMany([request], options);
  for (let first = 0; first < parts.length; first += AT_ONCE) {
    const some = parts.slice(first, first + AT_ONCE);
    const answers = await guard.checkMany(
      some.map((part) => ({ ...request, [part.field]: without(request[part.field]!, part) })),
      options,
    );
    yield some.map((part, index) => {
      const { score } = answers[index]!;
      return { ...part, score, change: logOdds(whole!.score) - logOdds(score) };
    });
  }
}

const LEAST = 1e-9; // of p: beyond, doubles lose their digits

export function logOdds(score: number): number {
  const p = Math.min(1 - LEAST, Math.max(LEAST, score));
  return Math.log(p / (1 - p));
}
