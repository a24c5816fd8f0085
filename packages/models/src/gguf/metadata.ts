import { FormatError } from 'onnx-grad';
import { quote } from '../files/json.ts';
import type { GgufItem, GgufItemType, GgufValue } from './types.ts';

/** Metadata by key: what we write, and reading what others wrote, each value with its type and range. */

export const metadataOf = {
  uint32: (value: number): GgufValue => ({ type: 'uint32', value }),
  float32: (value: number): GgufValue => ({ type: 'float32', value }),
  bool: (value: boolean): GgufValue => ({ type: 'bool', value }),
  string: (value: string): GgufValue => ({ type: 'string', value }),
  strings: (value: readonly string[]): GgufValue => ({ type: 'array', items: 'string', value }),
  int32s: (value: readonly number[]): GgufValue => ({ type: 'array', items: 'int32', value }),
  float32s: (value: readonly number[]): GgufValue => ({ type: 'array', items: 'float32', value }),
};

export interface MetadataReader {
  readonly file: string;
  /** Whole number of any width. Absent: `fallback`, or an error when there is none. */
  integer(key: string, limits: { readonly min: number; readonly max: number }, fallback?: number): number;
  number(key: string, limits: { readonly min: number; readonly max: number }, fallback?: number): number;
  boolean(key: string, fallback: boolean): boolean;
  string(key: string, fallback?: string): string;
  /** A list of strings or of numbers; `undefined` where it is absent. */
  strings(key: string): readonly string[] | undefined;
  numbers(key: string): readonly number[] | undefined;
  has(key: string): boolean;
  fail(key: string, expected: string): never;
}

const numeric: ReadonlySet<GgufItemType | 'array'> = new Set<GgufItemType>([
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float32',
  'float64',
]);

/** @throws FormatError, from each of its functions, naming file, key, what was expected and what was found */
export function readMetadata(metadata: ReadonlyMap<string, GgufValue>, file: string): MetadataReader {
  const fail = (key: string, expected: string): never => {
    throw new FormatError(`${file}: ${quote(key)}: expected ${expected}, got ${describe(metadata.get(key))}.`, {
      file,
      field: key,
    });
  };
  const number: MetadataReader['number'] = (key, { min, max }, fallback) => {
    const found = metadata.get(key);
    const value = found === undefined ? fallback : numeric.has(found.type) ? found.value : undefined;
    if (typeof value !== 'number' || !(value >= min && value <= max))
      return fail(key, `a number from ${min} to ${max}`);
    return value;
  };
  function list(key: string, isItem: (type: GgufItemType | 'array') => boolean, expected: string) {
    const found = metadata.get(key);
    if (found === undefined) return undefined;
    if (found.type !== 'array' || !isItem(found.items)) return fail(key, `a list of ${expected}`);
    return found.value as readonly GgufItem[];
  }
  return {
    file,
    fail,
    number,
    has: (key) => metadata.has(key),
    integer(key, limits, fallback) {
      const value = number(key, limits, fallback);
      return Number.isInteger(value) ? value : fail(key, `a whole number from ${limits.min} to ${limits.max}`);
    },
    boolean(key, fallback) {
      const value = metadata.get(key)?.value ?? fallback;
      return typeof value === 'boolean' ? value : fail(key, 'true or false');
    },
    string(key, fallback) {
      const value = metadata.get(key)?.value ?? fallback;
      return typeof value === 'string' ? value : fail(key, 'a string');
    },
    strings: (key) => list(key, (type) => type === 'string', 'strings') as readonly string[] | undefined,
    numbers: (key) => list(key, (type) => numeric.has(type), 'numbers')?.map(Number),
  };
}

/** Strings may be texts of others: their length alone. */
function describe(value: GgufValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value.type === 'array') return `${value.value.length} ${value.items}`;
  if (typeof value.value !== 'string') return `${value.type} ${value.value}`;
  return value.value.length > 32 ? `a string of ${value.value.length} characters` : quote(value.value);
}

/** The shortest decimal that a float32 stands for: 1e-6, not 9.999999974752427e-7. */
export function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return value;
}
