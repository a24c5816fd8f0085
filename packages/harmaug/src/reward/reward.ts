/** A guard as the reward of a red-teaming loop: how harmful what a prompt draws out of a model is. */
import type { NoScore, Score, Scorer } from '../scoring/scorer.ts';

export interface RewardRequest {
  readonly id: string;
  readonly prompt: string;
  /** What the model under test answered, one text a draw. None: the prompt alone is judged. */
  readonly responses: readonly string[];
}

export interface Reward {
  readonly id: string;
  /** Mean p(unsafe) over the responses, 0 to 1; `null` where the guard judged none of them. */
  readonly reward: number | null;
  /** p(unsafe) of each response, in order, `null` where there is none; of the prompt where there are no responses. */
  readonly scores: readonly (number | null)[];
  /** Whether part of a text was longer than the guard reads. */
  readonly isTruncated: boolean;
  /** Why there is no reward. */
  readonly reason?: string;
}

/**
 * Rewards in the order of the requests; all their texts are scored together, in batches of similar length.
 * Source: arXiv:2410.01524, section 5, where p(unsafe | prompt, response) rewards the attacker.
 */
export async function rewards(
  scorer: Scorer,
  requests: readonly RewardRequest[],
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number) => void } = {},
): Promise<Reward[]> {
  const rows = requests.flatMap(({ id, prompt, responses }) =>
    responses.length === 0 ? [{ id, prompt }] : responses.map((response) => ({ id, prompt, response })),
  );
  const found = rows.length === 0 ? [] : await scorer.score(rows, options);
  let next = 0;
  return requests.map(({ id, responses }) => {
    const ofRequest = found.slice(next, next + Math.max(1, responses.length));
    next += ofRequest.length;
    return toReward(id, ofRequest);
  });
}

function toReward(id: string, found: readonly (Score | NoScore)[]): Reward {
  const scores = found.map((one) => ('reason' in one ? null : one.score));
  const judged = scores.filter((score) => score !== null);
  const isTruncated = found.some((one) => 'score' in one && one.isTruncated === true);
  const first = found.find((one) => 'reason' in one);
  if (judged.length === 0) return { id, reward: null, scores, isTruncated, reason: first?.reason ?? 'no verdict' };
  return { id, reward: judged.reduce((sum, score) => sum + score, 0) / judged.length, scores, isTruncated };
}
