/**
 * What the channels of an activation hold over some texts, and the scale of its bytes that follows.
 *
 * Transformers have a few channels whose values are several times those of all others: one scale for all channels then
 * leaves the others few levels. These channels are divided before, and the weights that read them multiplied
 * (SmoothQuant, arXiv:2211.10438, done to outlying channels only: dividing all of them costs the weights more levels than
 * the activations gain; docs/experiments.md).
 */

/** Smallest and largest value of each channel, zero included. */
export interface ChannelRanges {
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** What their bytes are, where that does not follow from the ranges: a model was trained with them. */
  readonly bytes?: ActivationBytes;
}

/** The bytes of an activation in training: of a range around 0, after the division of outlying channels. */
export interface ActivationRange {
  /** Smallest and largest value of all channels, divided; 0 included. */
  readonly low: number;
  readonly high: number;
  /** Channels that are divided. */
  readonly outliers: readonly (readonly [channel: number, divisor: number])[];
}

/** An activation is `scale · (byte - zeroPoint)`, after division by `divisors` where there are any. */
export interface ActivationBytes {
  readonly scale: number;
  readonly zeroPoint: number;
  /** One a channel, at least 1. */
  readonly divisors: Float32Array | null;
}

const OUTLIERS = 4; // channels that may be divided, down to the size of the next
const OUTLYING = 1.5; // times the next channel's size: less is not worth a pass over the activation
const LEVELS = 255;

export function createRanges(channels: number): ChannelRanges {
  return { low: new Float32Array(channels), high: new Float32Array(channels) };
}

/** @param values (…, channels) */
export function widenRanges({ low, high }: ChannelRanges, values: Float32Array): void {
  const channels = low.length;
  for (let begin = 0; begin < values.length; begin += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const value = values[begin + channel]!;
      if (value < low[channel]!) low[channel] = value;
      else if (value > high[channel]!) high[channel] = value;
    }
  }
}

export function activationBytes(ranges: ChannelRanges): ActivationBytes {
  if (ranges.bytes) return ranges.bytes;
  const divisors = outlyingDivisors(ranges);
  return { ...byteScale(dividedRange(ranges, divisors)), divisors };
}

/** What outlying channels are divided by, 1 for the others; `null` where there is none. */
export function outlyingDivisors({ low, high }: ChannelRanges): Float32Array | null {
  const sizes = high.map((value, channel) => Math.max(value, -low[channel]!));
  const descending = sizes.toSorted().reverse();
  const next = descending[OUTLIERS] ?? 0;
  const isOutlying = next > 0 && descending[0]! > OUTLYING * next;
  return isOutlying ? sizes.map((size) => Math.max(1, size / next)) : null;
}

/** Smallest and largest value of all channels once they are divided. */
export function dividedRange({ low, high }: ChannelRanges, divisors: Float32Array | null): [low: number, high: number] {
  const divided = (value: number, channel: number) => value / (divisors?.[channel] ?? 1);
  const least = low.reduce((least, value, channel) => Math.min(least, divided(value, channel)), 0);
  const most = high.reduce((most, value, channel) => Math.max(most, divided(value, channel)), 0);
  return [least, most];
}

/** The 256 bytes of a range around 0. */
export function byteScale([low, high]: readonly [low: number, high: number]): { scale: number; zeroPoint: number } {
  const scale = Math.fround((high - low) / LEVELS) || 1; // 0 for an activation that is always 0
  return { scale, zeroPoint: Math.min(LEVELS, Math.round((0 - low) / scale)) };
}

export function divisorsOf({ outliers }: ActivationRange, channels: number): Float32Array<ArrayBuffer> {
  const divisors = new Float32Array(channels).fill(1);
  for (const [channel, divisor] of outliers) divisors[channel] = divisor;
  return divisors;
}
