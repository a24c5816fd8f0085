/** The rows of the inference benchmark as data: models, precisions, and how the texts come. */

import { debertaV3 } from '../deberta-v3.ts';

export interface InferModel {
  /** config.json of a model with weights from a seed; `null` for MiniLM, whose weights are real. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** Texts of a round: what the slowest peer takes some twenty seconds for. */
  readonly texts: number;
}

export const models = {
  minilm: { json: null, texts: 128 },
  'deberta-v3-xsmall': { json: debertaV3.xsmall, texts: 64 },
  'deberta-v3-base': { json: debertaV3.base, texts: 32 },
} satisfies Record<string, InferModel>;

export type ModelName = keyof typeof models;

export const precisions = ['fp32', 'int8'] as const;
export type Precision = (typeof precisions)[number];

export const orders = ['as-they-come', 'sorted', 'single'] as const;
export type Order = (typeof orders)[number];

/** Texts of a batch that a peer may choose from in the warm-up; the quickest is measured. Ours makes its own. */
export const batchSizes: Readonly<Record<Exclude<Order, 'single'>, readonly number[]>> = {
  'as-they-come': [32],
  sorted: [32, 8, 1],
};

export const MOST_TOKENS = 512;
/** Prompts of the `single` rows. */
export const SINGLES = 48;
export const LABELS = ['safe', 'unsafe'];

export interface InferCase {
  readonly name: string;
  readonly model: ModelName;
  readonly precision: Precision;
  readonly order: Order;
}

/** All rows whose name contains `filter`, those of one model and precision beside each other. */
export function planCases(filter: string): InferCase[] {
  return (Object.keys(models) as ModelName[])
    .flatMap((model) =>
      precisions.flatMap((precision) =>
        orders.map((order) => ({ name: `${model} ${precision} ${order}`, model, precision, order })),
      ),
    )
    .filter(({ name }) => name.includes(filter));
}
