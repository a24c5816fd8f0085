/**
 * OpenAI's moderation service: scores by category, the highest counts. It knows no roles: of a pair the response is judged.
 * Its terms forbid using the results to train models that compete with OpenAI's.
 */
import { z } from 'zod';
import { ProviderError } from '../errors.ts';
import type { Client } from '../providers/openai/client.ts';
import { parseJson } from '../text/json.ts';
import type { Teacher } from './teacher.ts';
import { abstain, NO_USAGE, type Verdict } from './verdict.ts';

const reply = z.object({
  results: z.array(z.object({ category_scores: z.record(z.string(), z.number().nullable()) })).min(1),
});

/** @param client to an endpoint with /moderations */
export function createModerationTeacher(
  client: Client,
  model: string,
  { name = model, concurrency = 8 } = {},
): Teacher {
  return {
    name,
    about: { teacher: 'openai-moderation', model },
    concurrency,
    async judge({ id, prompt, response }, signal): Promise<Verdict> {
      const input = response ?? prompt;
      const body = { model, input };
      return client.call({ id, path: '/moderations', body, hidden: [input], signal, read: readVerdict });
    },
    dispose: () => client.dispose(),
  };
}

/** @throws ProviderError 'format' */
export function readVerdict(body: string): Verdict {
  const parsed = reply.safeParse(parseJson(body));
  if (!parsed.success) {
    const message = 'The reply cannot be used: it is not the result of a moderation.';
    throw new ProviderError(message, { problem: 'format', isRetryable: true });
  }
  const scores = Object.entries(parsed.data.results[0]!.category_scores);
  if (scores.length === 0) return abstain('no verdict');
  if (scores.some(([, score]) => !(score !== null && score >= 0 && score <= 1)))
    return abstain('probability is no number');
  const [category, score] = scores.reduce((a, b) => (b[1]! > a[1]! ? b : a)) as [string, number];
  const logOdds = Math.log(score) - Math.log1p(-score);
  return { kind: 'scored', score, logOdds, category: score >= 0.5 ? category : null, usage: NO_USAGE };
}
