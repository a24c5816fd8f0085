/** Anything that judges one text at a time and may abstain. */
import type { Judged } from './family.ts';
import type { Verdict } from './verdict.ts';

export interface Teacher {
  readonly name: string;
  /** Where its verdicts come from, without secrets: saved with what is made of them. */
  readonly about: Readonly<Record<string, string | number>>;
  /** Calls that may be under way at once. */
  readonly concurrency: number;
  /** @throws ProviderError where asking failed; what the teacher cannot tell is a verdict that abstains */
  judge(judged: Judged, signal?: AbortSignal): Promise<Verdict>;
  dispose(): Promise<void>;
}
