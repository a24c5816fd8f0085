/** Several teachers as one: the mean of their probabilities, where enough of them say something. */
import type { Teacher } from './teacher.ts';
import { abstain, addUsage, NO_USAGE, type Scored } from './verdict.ts';

export interface AverageOptions {
  readonly name?: string;
  /** Verdicts needed. Default: all, since the mean of others is another figure. */
  readonly minimum?: number | undefined;
}

export function averageTeachers(teachers: readonly Teacher[], options: AverageOptions = {}): Teacher {
  const { name = teachers.map((teacher) => teacher.name).join(' + '), minimum = teachers.length } = options;
  return {
    name,
    about: Object.fromEntries(
      teachers.flatMap((teacher, index) =>
        Object.entries(teacher.about).map(([key, value]) => [`${index + 1}.${key}`, value] as const),
      ),
    ),
    concurrency: Math.min(...teachers.map((teacher) => teacher.concurrency)),
    async judge(judged, signal) {
      const verdicts = await Promise.all(teachers.map((teacher) => teacher.judge(judged, signal)));
      const usage = verdicts.map((verdict) => verdict.usage).reduce(addUsage, NO_USAGE);
      const scored = verdicts.filter((verdict): verdict is Scored => verdict.kind === 'scored');
      const silent = verdicts.find((verdict) => verdict.kind === 'abstained');
      if (scored.length < Math.max(1, minimum)) {
        return teachers.length === 1 && silent ? { ...silent, usage } : abstain('too few teachers', usage);
      }
      return { kind: 'scored', ...meanOf(scored), category: mostCertain(scored).category, usage };
    },
    async dispose() {
      for (const teacher of teachers) await teacher.dispose();
    },
  };
}

/** Mean of p, and its log-odds from means of p and of 1 - p, neither of which is rounded to 0 by way of the other. */
function meanOf(scored: readonly Scored[]): { score: number; logOdds: number } {
  const unsafe = scored.reduce((sum, { logOdds }) => sum + 1 / (1 + Math.exp(-logOdds)), 0);
  const safe = scored.reduce((sum, { logOdds }) => sum + 1 / (1 + Math.exp(logOdds)), 0);
  return { score: unsafe / scored.length, logOdds: Math.log(unsafe) - Math.log(safe) };
}

const mostCertain = (scored: readonly Scored[]) => scored.reduce((a, b) => (b.logOdds > a.logOdds ? b : a));
