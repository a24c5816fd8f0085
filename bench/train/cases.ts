/** The rows of the training benchmark as data, and the arithmetic that a step of each needs. */
import type { Precision } from '@harmaug/models';
import type { FixedCase } from '../ours/train.ts';

type Shape = Pick<FixedCase, 'family' | 'hidden' | 'layers' | 'heads' | 'intermediate' | 'vocab' | 'dropout'>;

/** As the models' config.json files have them. */
const shapes = {
  minilm: { family: 'bert', hidden: 384, layers: 6, heads: 12, intermediate: 1536, vocab: 30_522, dropout: 0.1 },
  'deberta-v3-xsmall': {
    family: 'deberta-v2',
    hidden: 384,
    layers: 12,
    heads: 6,
    intermediate: 1536,
    vocab: 128_100,
    dropout: 0.1,
  },
  'roberta-base': {
    family: 'roberta',
    hidden: 768,
    layers: 12,
    heads: 12,
    intermediate: 3072,
    vocab: 50_265,
    dropout: 0.1,
  },
  'ettin-17m': { family: 'modernbert', hidden: 256, layers: 7, heads: 4, intermediate: 384, vocab: 50_368, dropout: 0 },
} satisfies Record<string, Shape>;

const BUCKETS = 256; // deberta-v3: position_buckets

/** What one opening of both sides measures: the row `name`, and with a peer also `name bf16`. */
export type Measurement =
  | { readonly name: string; readonly kind: 'fixed'; readonly fixed: FixedCase; readonly withPeer: boolean }
  | { readonly name: string; readonly kind: 'real'; readonly grouped: boolean; readonly withPeer: boolean };

type ShapeName = keyof typeof shapes;
type Size = readonly [shape: ShapeName, batch: number, length: number];

interface FixedOptions {
  readonly dropout?: number;
  readonly precision?: Precision;
}

function fixed(section: 'fixed' | 'scaling', [shape, batch, length]: Size, options: FixedOptions = {}) {
  const { dropout = shapes[shape].dropout, precision = 'float32' } = options;
  const withoutDropout = dropout === shapes[shape].dropout ? '' : ' nodropout';
  const name = `${section} ${shape} ${batch}x${length}${withoutDropout}${precision === 'float32' ? '' : ` ${precision}`}`;
  return (threads: number): Measurement => ({
    name,
    kind: 'fixed',
    fixed: { ...shapes[shape], batch, length, dropout, precision, threads },
    withPeer: section === 'fixed',
  });
}

const sizes: readonly Size[] = [
  ['minilm', 16, 128],
  ['minilm', 4, 512],
  ['deberta-v3-xsmall', 16, 128],
  ['deberta-v3-xsmall', 4, 512],
];

const furtherSizes: readonly Size[] = [
  ['roberta-base', 4, 256],
  ['ettin-17m', 16, 128],
  ['ettin-17m', 4, 512],
];

/** Every measurement of the benchmark, in the order they run. `scaling` has ours alone. */
export function measurements(threads: number): Measurement[] {
  const rows = [
    ...sizes.map((size) => fixed('fixed', size)),
    ...sizes.map((size) => fixed('fixed', size, { dropout: 0 })),
    ...sizes.map((size) => fixed('fixed', size, { dropout: 0, precision: 'int8' })),
    ...furtherSizes.map((size) => fixed('fixed', size)),
    ...[128, 256, 512, 1024, 2048].map((length) => fixed('scaling', ['minilm', 1, length])),
    ...[2, 4, 8, 16, 32].map((batch) => fixed('scaling', ['minilm', batch, 128])),
  ];
  return [
    ...rows.map((row) => row(threads)),
    { name: 'real usual', kind: 'real', grouped: false, withPeer: true },
    { name: 'real grouped', kind: 'real', grouped: true, withPeer: true },
  ];
}

/** Floating-point operations of about one step's matrix products, the backward pass taken as twice the forward. */
function roughFlops({ family, hidden: E, layers, intermediate, batch: B, length: T }: FixedCase): number {
  const factors = family === 'modernbert' ? 3 : 2; // of the feed-forward part
  const projections = 2 * B * T * (4 * E * E + factors * E * intermediate);
  const attention = 4 * B * T * T * E;
  const positions = family === 'deberta-v2' ? 4 * 2 * BUCKETS * (B * T * E + E * E) : 0;
  return 3 * layers * (projections + attention + positions);
}

/** Rough work of a measurement's step, to foretell the time left; a real batch is taken at the data's mean length. */
export function roughWork(measurement: Measurement): number {
  if (measurement.kind === 'fixed') return roughFlops(measurement.fixed);
  const length = measurement.grouped ? 60 : 350; // 55 real tokens x 1.09 or 6.4 (design.md)
  return roughFlops({ ...shapes.minilm, batch: 32, length, threads: 1 });
}
