/** activation_ranges.json: what the bytes of a model's activations cover, where it was trained in int8. Pure. */
import { type ActivationRange, FormatError } from 'onnx-grad';
import { isObject, type JsonObject } from '../files/json.ts';

export const RANGES_FILE = 'activation_ranges.json';

const FORMAT = 1;

/** Of what is multiplied with a weight, by the weight's name. */
export type ActivationRangeTable = ReadonlyMap<string, ActivationRange>;

export function formatRanges(ranges: ActivationRangeTable): string {
  return `${JSON.stringify({ formatVersion: FORMAT, ranges: Object.fromEntries(ranges) }, null, 2)}\n`;
}

/** @throws FormatError naming the weight whose range is none */
export function parseRanges({ formatVersion, ranges }: JsonObject, file: string): ActivationRangeTable {
  if (formatVersion !== FORMAT || !isObject(ranges)) {
    const message = `${file}: expected "formatVersion" ${FORMAT} and "ranges". Another version may have written it.`;
    throw new FormatError(message, { file, field: 'formatVersion' });
  }
  return new Map(Object.entries(ranges).map(([name, range]) => [name, parseRange(range, name, file)]));
}

function parseRange(range: unknown, name: string, file: string): ActivationRange {
  const { low, high, outliers } = isObject(range) ? range : {};
  const isAround = isNumber(low) && isNumber(high) && low <= 0 && high >= 0;
  if (isAround && Array.isArray(outliers) && outliers.every(isOutlier)) return { low, high, outliers };
  const field = name.slice(0, 80);
  const message = `${file}: "${field}": expected low and high around 0, and outliers [channel, divisor].`;
  throw new FormatError(message, { file, field });
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);

/** A channel, and what it is divided by, at least 1. */
function isOutlier(pair: unknown): pair is [number, number] {
  const [channel, divisor] = Array.isArray(pair) && pair.length === 2 ? (pair as unknown[]) : [];
  return Number.isSafeInteger(channel) && (channel as number) >= 0 && isNumber(divisor) && divisor >= 1;
}
