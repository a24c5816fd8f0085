/** What a teacher says of a text: how likely it is unsafe, or why it says nothing. */
import type { CandidateLogprob, NextTokens, Usage } from '../providers/provider.ts';
import { logSumExp } from '../providers/read-point.ts';
import { sigmoid } from '../scoring/score-encoded.ts';

export type AbstainReason =
  /** The server's alternatives did not hold every verdict token. Never read as "safe". */
  | 'verdict token missing'
  | 'probability is no number'
  /** The model never came to its verdict. */
  | 'no verdict'
  | 'text too long'
  | 'needs a response'
  /** Of several teachers too few have said something. */
  | 'too few teachers';

export interface Scored {
  readonly kind: 'scored';
  /** p(unsafe) */
  readonly score: number;
  /** ln(p / (1 - p)) from the verdict tokens: tells apart what a probability of 1 does not. */
  readonly logOdds: number;
  readonly category: string | null;
  readonly usage: Usage;
}

export interface Abstained {
  readonly kind: 'abstained';
  readonly reason: AbstainReason;
  readonly usage: Usage;
}

export type Verdict = Scored | Abstained;

export const NO_USAGE: Usage = { promptTokens: 0, completionTokens: 0 };

export function abstain(reason: AbstainReason, usage: Usage = NO_USAGE): Abstained {
  return { kind: 'abstained', reason, usage };
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}

/** Which of the candidates mean unsafe and which safe, by their number. */
export interface Sides {
  readonly unsafe: readonly number[];
  readonly safe: readonly number[];
}

/** Softmax over the verdict tokens alone. Every one of them is needed. */
export function verdictOf(found: NextTokens, sides: Sides, category: string | null): Verdict {
  const wanted = [...sides.unsafe, ...sides.safe].map((index) => found.logprobs[index]!);
  const problem = problemOf(wanted, found.isPointReached);
  if (problem) return abstain(problem, found.usage);
  const side = (indices: readonly number[]) => logSumExp(indices.map((index) => found.logprobs[index] as number));
  const logOdds = side(sides.unsafe) - side(sides.safe);
  return { kind: 'scored', score: sigmoid(logOdds), logOdds, category, usage: found.usage };
}

function problemOf(logprobs: readonly CandidateLogprob[], isPointReached: boolean): AbstainReason | null {
  if (!isPointReached) return 'no verdict';
  if (logprobs.includes('not-a-number')) return 'probability is no number';
  return logprobs.includes('missing') ? 'verdict token missing' : null;
}
