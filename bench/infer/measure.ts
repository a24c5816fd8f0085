/** One row's sides measured in turns. */
import { median, takeTurns, WARM_UP } from '../rounds.ts';
import { batchSizes, type Order } from './cases.ts';
import type { InferSide } from './side.ts';

export interface Asked {
  readonly order: Order;
  /** Numbers of the texts, in the order in which they come. */
  readonly indices: readonly number[];
  readonly rounds: number;
  readonly pauseMs: number;
  readonly onTurn: () => void;
}

export interface Measured {
  /** Texts a second; of `single` the median milliseconds of one. */
  readonly figure: number;
  /** p(unsafe) of the texts in the order asked for; empty for `single`. */
  readonly scores: readonly number[];
}

/** @returns in the order of the sides */
export async function measureSides(sides: readonly InferSide[], asked: Asked): Promise<Measured[]> {
  const { order, rounds, pauseMs, onTurn } = asked;
  const meters = sides.map((side) => (order === 'single' ? singleMeter(side, asked) : manyMeter(side, order, asked)));
  await takeTurns(
    meters.map(({ turn }) => turn),
    rounds,
    { pauseMs, onTurn },
  );
  return meters.map(({ result }) => result());
}

interface Meter {
  readonly turn: (round: number) => Promise<void>;
  readonly result: () => Measured;
}

function singleMeter(side: InferSide, { indices }: Asked): Meter {
  const times: number[] = [];
  return {
    async turn(round) {
      const ms = await side.single(indices);
      if (round !== WARM_UP) times.push(...ms);
    },
    result: () => ({ figure: median(times), scores: [] }),
  };
}

/** Warms up with one batch; of several sizes each is tried on all texts, and the quickest kept. */
function manyMeter(side: InferSide, order: Exclude<Order, 'single'>, { indices }: Asked): Meter {
  const sizes = batchSizes[order];
  let best = sizes[0]!;
  let scores: readonly number[] = [];
  const times: number[] = [];
  return {
    async turn(round) {
      if (round !== WARM_UP) {
        const scored = await side.many(indices, best);
        times.push(scored.ms);
        scores = scored.scores;
        return;
      }
      await side.many(indices.slice(0, sizes[0]), best);
      if (sizes.length === 1) return;
      let quickest = Infinity;
      for (const size of sizes) {
        const { ms } = await side.many(indices, size);
        if (ms < quickest) [quickest, best] = [ms, size];
      }
    },
    result: () => ({ figure: (indices.length / median(times)) * 1000, scores }),
  };
}
