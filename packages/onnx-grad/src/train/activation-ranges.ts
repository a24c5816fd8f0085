/**
 * What the bytes of activations cover. Which channels are outlying, and what they are divided by, is settled by the first
 * batch; the range of all that is left follows the steps: a value outside widens it for the next step, and a range that is
 * not filled draws in slowly. A step uses those of the steps before, as is usual for 8 bits (delayed scaling: Micikevicius
 * et al. 2022, arXiv:2209.05433), so that a value is cut off once when it is new.
 */
import {
  type ActivationRange,
  type ChannelRanges,
  dividedRange,
  outlyingDivisors,
} from '../inference/channel-ranges.ts';

const DRAWS_IN = 0.01; // of the way to the step's own range: what was seen some two hundred steps ago hardly counts

export class ActivationRanges {
  readonly #ranges = new Map<string, ActivationRange>();
  /** Of the step in hand. */
  #seen = new Map<string, readonly [low: number, high: number]>();

  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }

  get(name: string): ActivationRange | undefined {
    return this.#ranges.get(name);
  }

  /** Settles outlying channels and a first range. */
  begin(name: string, channels: ChannelRanges): void {
    const divisors = outlyingDivisors(channels);
    const [low, high] = dividedRange(channels, divisors).map(Math.fround) as [number, number];
    const outliers = [...(divisors ?? [])].map((divisor, channel) => [channel, divisor] as const);
    this.#ranges.set(name, { low, high, outliers: outliers.filter(([, divisor]) => divisor > 1) });
  }

  /** Notes what a part of a step had, after the division. */
  see(name: string, low: number, high: number): void {
    const [lowest, highest] = this.#seen.get(name) ?? [0, 0];
    this.#seen.set(name, [Math.min(low, lowest), Math.max(high, highest)]);
  }

  /** Ends a step that was made. */
  settle(): void {
    for (const [name, [low, high]] of this.#seen) {
      const { low: lowest, high: highest, outliers } = this.#ranges.get(name)!;
      this.#ranges.set(name, { low: 0 - follow(-lowest, -low), high: follow(highest, high), outliers });
    }
    this.forget();
  }

  /** Ends a step that was not made. */
  forget(): void {
    this.#seen = new Map();
  }

  state(): Map<string, ActivationRange> {
    return new Map(this.#ranges);
  }

  restore(ranges: ReadonlyMap<string, ActivationRange>): void {
    this.forget();
    this.#ranges.clear();
    for (const [name, range] of ranges) this.#ranges.set(name, range);
  }
}

/** The largest value by now. */
function follow(before: number, seen: number): number {
  return Math.fround(seen > before ? seen : before + DRAWS_IN * (seen - before));
}
