/** A response, read. */
import type { Finish, Written } from '../ledger/records.ts';
import type { Reason } from './reasons.ts';
import { isRefusal } from './refusals.ts';

export interface Response {
  readonly text: string;
  readonly reason: Reason | null;
  readonly isRefusal: boolean;
  readonly isCut: boolean;
}

const reasonsOfFinish: Partial<Record<Finish, Reason>> = { filter: 'filtered', 'too-long': 'prompt-too-long' };

/** A response as the guard will see it: the model's whole turn, the prefix included. One that is cut off is kept and marked. */
export function readResponse({ text, finish }: Written, prefix: string | null): Response {
  const whole = text.trim() === '' ? '' : `${prefix ?? ''}${text}`.trim();
  const reason = reasonsOfFinish[finish] ?? (whole === '' ? 'empty' : null);
  return { text: whole, reason, isRefusal: isRefusal(text.trim()), isCut: finish === 'length' };
}
