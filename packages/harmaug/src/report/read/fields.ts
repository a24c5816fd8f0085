/** Fields that several results have. Results may have more than the report reads: a later version's are read too. */
import { z } from 'zod';

export const figure = z.number().nullable();
export const count = z.number().int().min(0);
export const name = z.string().max(1000);

const estimate = z.object({ value: figure, low: figure.default(null), high: figure.default(null) });

/** A figure, with its interval where the result has one. */
export const estimated = z.union([figure.transform((value) => ({ value, low: null, high: null })), estimate]);

export type Estimated = z.output<typeof estimated>;

/** Figures of a set by metric; `null`, or a metric that is not there, is not known. */
export const figures = z.record(z.string(), estimated).nullable();

export type Figures = z.output<typeof figures>;

export const figureOf = (all: Figures | undefined, metric: string): Estimated =>
  all?.[metric] ?? { value: null, low: null, high: null };

/** Names and single values, as results say what they were made with. */
export const facts = z.record(z.string(), z.unknown());
