/** What goes to a process that measures one model, and what comes back. */
import type { Row } from '../data/row.ts';
import type { TeacherChoice } from '../teachers/config.ts';
import type { Speed } from './measure.ts';

export interface MeasureRequest {
  /** What a scorer opens, or a teacher. */
  readonly judge:
    | { readonly kind: 'scorer'; readonly name: string; readonly maxLength: number }
    | ({ readonly kind: 'teacher' } & TeacherChoice);
  readonly threads: number | null;
  /** Rows of each length. */
  readonly sets: readonly (readonly Row[])[];
  /** For each. */
  readonly seconds: number;
}

export interface Measured {
  readonly speeds: readonly Speed[];
  /** The most that the process had at any time. */
  readonly peakMemoryBytes: number;
}

export type MeasureReply =
  | ({ readonly kind: 'done' } & Measured)
  | { readonly kind: 'progress'; readonly set: number }
  | { readonly kind: 'failed'; readonly message: string };
