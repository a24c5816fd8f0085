/** What `harmaug measure --json` prints. */
import type { Measures } from './measure.node.ts';

export function measuresAsJson({
  attack,
  candidatesNearlyRepeating,
  seed,
  synthetic,
  together,
  categories,
  scores,
  plane,
}: Measures) {
  const { notRefused, judgedUnsafe, ...rest } = attack;
  const sets = { seed, synthetic, together };
  return {
    attack: { ...rest, not_refused: notRefused, judged_unsafe: judgedUnsafe },
    candidates_nearly_repeating: candidatesNearlyRepeating,
    sets: Object.fromEntries(
      Object.entries(sets).map(([name, { texts, distinct, selfBleu, nearDuplicates, clusters }]) => [
        name,
        { texts, distinct, self_bleu: selfBleu, near_duplicates: nearDuplicates, clusters },
      ]),
    ),
    categories,
    score_histogram: scores,
    plane,
  };
}
