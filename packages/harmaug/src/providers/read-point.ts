/** From tokens with their alternatives to the probabilities of the words we wait for. */
import type { CandidateLogprob, Match, NextTokensRequest } from './provider.ts';

export interface Alternative {
  readonly text: string;
  /** Natural logarithm; `null` where the server gave no number. */
  readonly logprob: number | null;
}

/** One token that the model wrote. */
export interface TokenWithAlternatives extends Alternative {
  /** The likeliest tokens in its place, itself often among them. */
  readonly top: readonly Alternative[];
}

/** A word's first token may be a part of it, but no shorter than this: "un" could begin too many words. */
const SHORTEST_PIECE = 3;
/** vLLM writes -9999 for minus infinity. */
const LEAST_LOGPROB = -9000;

export interface PointReading {
  readonly isPointReached: boolean;
  readonly logprobs: readonly CandidateLogprob[];
}

/** Finds the point and reads each candidate there. */
export function readPoint(
  tokens: readonly TokenWithAlternatives[],
  { point, candidates, match }: Pick<NextTokensRequest, 'point' | 'candidates' | 'match'>,
): PointReading {
  const start = findPoint(tokens, point.after);
  if (start === null) return { isPointReached: false, logprobs: candidates.map(() => 'missing') };
  const positions = point.positions === 'first' ? tokens.slice(start, start + 1) : tokens.slice(start);
  const logprobs = candidates.map((candidate) => {
    const found = positions
      .map((token) => matches[match](alternativesOf(token), candidate))
      .filter((logprob) => logprob !== 'missing');
    if (found.includes('not-a-number')) return 'not-a-number';
    return found.length === 0 ? 'missing' : logSumExp(found as number[]);
  });
  return { isPointReached: true, logprobs };
}

/** Index of the first token that says something after the text, or `null`: never reached, or reached within a token. */
export function findPoint(tokens: readonly { readonly text: string }[], after: string): number | null {
  let written = '';
  const end =
    after === ''
      ? 0
      : tokens
          .map(({ text }) => text)
          .join('')
          .indexOf(after) + after.length;
  if (end < after.length) return null;
  for (const [index, { text }] of tokens.entries()) {
    const begins = written.length;
    written += text;
    if (text.trim() === '') continue;
    if (begins >= end) return index;
    if (written.slice(end).trim() !== '') return null;
  }
  return null;
}

/** The token itself with its alternatives: a server may leave the written one out of them, or list it twice. */
function alternativesOf({ text, logprob, top }: TokenWithAlternatives): readonly Alternative[] {
  return top.some((other) => other.text === text) ? top : [{ text, logprob }, ...top];
}

const matches: Record<Match, (alternatives: readonly Alternative[], word: string) => CandidateLogprob> = {
  /** The longest beginning of the word that a token is; of equal ones that with the word's own space, then the likelier. */
  exact: (alternatives, word) => {
    const wanted = word.trim();
    const least = Math.min(wanted.length, wanted.length > 4 ? SHORTEST_PIECE : wanted.length);
    const fitting = alternatives.filter(({ text }) => text.trim().length >= least && wanted.startsWith(text.trim()));
    const [best] = fitting.sort(
      (a, b) =>
        b.text.trim().length - a.text.trim().length ||
        Number(hasSpace(b.text) === hasSpace(word)) - Number(hasSpace(a.text) === hasSpace(word)) ||
        (b.logprob ?? 0) - (a.logprob ?? 0),
    );
    return best === undefined ? 'missing' : checked(best.logprob);
  },
  folded: (alternatives, word) => {
    const byText = new Map(alternatives.map(({ text, logprob }) => [text, checked(logprob)]));
    const fitting = [...byText]
      .filter(([text]) => text.trim().toLowerCase() === word.trim().toLowerCase())
      .map(([, logprob]) => logprob)
      .filter((logprob) => logprob !== 'missing');
    if (fitting.includes('not-a-number')) return 'not-a-number';
    return fitting.length === 0 ? 'missing' : logSumExp(fitting as number[]);
  },
};

const hasSpace = (text: string) => /^\s/.test(text);

function checked(logprob: number | null): CandidateLogprob {
  if (logprob === null || Number.isNaN(logprob) || logprob > 1e-3) return 'not-a-number';
  return logprob <= LEAST_LOGPROB ? 'missing' : logprob;
}

/** ln Σ exp(x), without overflow; minus infinity of nothing. */
export function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  if (values.length === 1 || !Number.isFinite(most)) return most;
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}
