/** A teacher as a scorer, so that it is measured like any guard. */
import type { Scorer } from '../scoring/scorer.ts';
import { judgeRows } from './judge-rows.ts';
import type { Teacher } from './teacher.ts';

/** A row for which the teacher abstains has no score, and its reason in place of one. */
export function teacherScorer(teacher: Teacher): Scorer {
  return {
    name: teacher.name,
    about: teacher.about,
    threshold: 0.5,
    async score(rows, { signal = new AbortController().signal, onProgress = () => {} } = {}) {
      const verdicts = await judgeRows(teacher, rows, { signal, onProgress });
      return verdicts.map((verdict) => {
        if (verdict.kind === 'abstained') return { reason: verdict.reason };
        const { score, logOdds, category } = verdict;
        return { score, margin: logOdds, ...(category === null ? {} : { category }) };
      });
    },
    dispose: () => teacher.dispose(),
  };
}
