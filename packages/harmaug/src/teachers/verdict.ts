/** From the probabilities of verdict words to p(unsafe), or to the reason why there is none. */
import type { CandidateLogprob, NextTokens, Usage } from '../providers/provider.ts';
import { logSumExp } from '../providers/read-point.ts';
import { sigmoid } from '../scoring/score-encoded.ts';
import type { Abstention, AbstentionReason, Label, Verdict } from './teacher.ts';

export interface VerdictWords {
  /** Their probabilities are added up: Unsafe and Controversial. */
  readonly unsafe: readonly string[];
  readonly safe: readonly string[];
}

/**
 * p(unsafe) = Σ p(unsafe words) / Σ p(all words). Every word has to be there: with one missing there is no label.
 * @param found with a logprob for each unsafe word, then for each safe one
 */
export function readVerdict({ unsafe, safe }: VerdictWords, found: NextTokens): Verdict {
  const { logprobs, isPointReached, usage } = found;
  if (!isPointReached) return abstain('no-verdict', 'The model did not come to its verdict.', usage);
  const words = [...unsafe, ...safe];
  const withProblem = (problem: CandidateLogprob) =>
    words.filter((_, index) => (logprobs[index] ?? 'missing') === problem);
  const odd = withProblem('not-a-number');
  if (odd.length > 0) return abstain('not-a-number', `The probability of ${quote(odd)} is no number.`, usage);
  const missing = withProblem('missing');
  if (missing.length > 0) {
    return abstain('word-missing', `There is no probability of ${quote(missing)} where the verdict stands.`, usage);
  }
  const numbers = logprobs as readonly number[];
  const logOdds = logSumExp(numbers.slice(0, unsafe.length)) - logSumExp(numbers.slice(unsafe.length));
  if (!Number.isFinite(logOdds))
    return abstain('not-a-number', 'The verdict words have no finite probabilities.', usage);
  return label(logOdds, usage);
}

export function label(logOdds: number, usage: Usage): Label {
  return { kind: 'label', probability: sigmoid(logOdds), logOdds, usage };
}

export function abstain(reason: AbstentionReason, detail: string, usage: Usage = noUsage): Abstention {
  return { kind: 'abstention', reason, detail, usage };
}

/** ln(p / (1 - p)). */
export function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0 };

export function addUsage(usages: readonly Usage[]): Usage {
  const sum = (field: keyof Usage) => usages.reduce((total, usage) => total + usage[field], 0);
  return { promptTokens: sum('promptTokens'), completionTokens: sum('completionTokens') };
}

/**
 * The verdict of the worst of several questions on one text, as ShieldGemma's policies are. All must have been answered:
 * the one without an answer might have been the worst.
 */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const usage = addUsage(verdicts.map((verdict) => verdict.usage));
  const abstention = verdicts.find((verdict) => verdict.kind === 'abstention');
  if (abstention) return { ...abstention, usage };
  const labels = verdicts as readonly Label[];
  const most = labels.reduce((best, next) => (next.logOdds > best.logOdds ? next : best));
  return { ...most, usage };
}

const quote = (words: readonly string[]) => words.map((word) => `"${word.trim()}"`).join(' and ');
