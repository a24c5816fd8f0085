/** The highest rate of arrivals that a server keeps up with: all answered, and the slowest hundredth in time. */
import { type Ask, closedLoop, openLoop, percentile, rateOf } from './load.ts';

export interface SearchOptions {
  /** What p99 may be. */
  readonly limitMs: number;
  /** Of each trial. */
  readonly seconds: number;
  readonly trials: number;
  readonly uniform: () => number;
  readonly onTrial: (perSecond: number, p99Ms: number) => void;
}

export interface Found {
  /** Requests a second at that p99; 0 where no trial kept it. */
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Requests a second with many at once, whatever they wait. */
  readonly mostPerSecond: number;
}

const IN_FLIGHT = 64;
const FIRST = 0.7; // of what the server does with many at once
const GROWTH = 1.4; // while nothing was too much

/** Goes up until a rate is too much, then halves what lies between. */
export async function searchRate(ask: Ask, options: SearchOptions): Promise<Found> {
  const { limitMs, seconds, trials, uniform, onTrial } = options;
  await closedLoop(ask, { inFlight: 8, seconds: seconds / 4 }); // warms up
  const mostPerSecond = rateOf(await closedLoop(ask, { inFlight: IN_FLIGHT, seconds }), seconds);
  let [low, high] = [0, Infinity];
  let perSecond = FIRST * Math.max(mostPerSecond, 1);
  let p99Ms = Number.NaN;
  for (let trial = 0; trial < trials; trial++) {
    const shots = await openLoop(ask, { perSecond, seconds, uniform });
    const slowest = percentile(
      shots.map(({ ms }) => ms),
      0.99,
    );
    onTrial(perSecond, slowest);
    if (slowest <= limitMs && shots.every(({ status }) => status === 200)) [low, p99Ms] = [perSecond, slowest];
    else high = perSecond;
    perSecond = high === Infinity ? GROWTH * low : (low + high) / 2;
  }
  return { perSecond: low, p99Ms, mostPerSecond };
}
