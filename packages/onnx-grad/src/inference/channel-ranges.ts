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

export function activationBytes({ low, high }: ChannelRanges): ActivationBytes {
  const sizes = high.map((value, channel) => Math.max(value, -low[channel]!));
  const descending = sizes.toSorted().reverse();
  const next = descending[OUTLIERS] ?? 0;
  const isOutlying = next > 0 && descending[0]! > OUTLYING * next;
  const divisors = isOutlying ? sizes.map((size) => Math.max(1, size / next)) : null;
  const divided = (value: number, channel: number) => value / (divisors?.[channel] ?? 1);
  const least = low.reduce((least, value, channel) => Math.min(least, divided(value, channel)), 0);
  const most = high.reduce((most, value, channel) => Math.max(most, divided(value, channel)), 0);
  const scale = Math.fround((most - least) / LEVELS) || 1; // 0 for an activation that is always 0
  return { scale, zeroPoint: Math.min(LEVELS, Math.round((0 - least) / scale)), divisors };
}
