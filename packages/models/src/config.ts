/** Reading the fields of a config.json: each with its type and range, so that a wrong file is one clear error. */
import { FormatError } from 'onnx-grad';

export interface ConfigReader {
  /** A whole number within limits; `fallback` when absent, or an error when there is none. */
  integer(name: string, limits: { min: number; max: number }, fallback?: number): number;
  number(name: string, limits: { min: number; max: number }, fallback?: number): number;
  boolean(name: string, fallback: boolean): boolean;
  choice<Name extends string>(name: string, names: readonly Name[], fallback: Name): Name;
  /** A list of strings; one string is split at "|". */
  names<Name extends string>(name: string, allowed: readonly Name[], fallback: readonly Name[]): readonly Name[];
  fail(name: string, expected: string): never;
}

export function readConfig(config: Readonly<Record<string, unknown>>, file = 'config.json'): ConfigReader {
  const fail = (name: string, expected: string): never => {
    const got = JSON.stringify(config[name])?.slice(0, 80) ?? 'nothing';
    throw new FormatError(`${file}: "${name}": expected ${expected}, got ${got}.`, { file, field: name });
  };
  const absent = (name: string) => config[name] === undefined || config[name] === null;
  const number = (name: string, { min, max }: { min: number; max: number }, fallback?: number): number => {
    const value = absent(name) ? fallback : config[name];
    if (typeof value !== 'number' || !(value >= min && value <= max))
      return fail(name, `a number from ${min} to ${max}`);
    return value;
  };
  return {
    number,
    integer(name, limits, fallback) {
      const value = number(name, limits, fallback);
      return Number.isInteger(value) ? value : fail(name, `a whole number from ${limits.min} to ${limits.max}`);
    },
    boolean(name, fallback) {
      const value = absent(name) ? fallback : config[name];
      return typeof value === 'boolean' ? value : fail(name, 'true or false');
    },
    choice(name, names, fallback) {
      const value = absent(name) ? fallback : config[name];
      return names.find((known) => known === value) ?? fail(name, `one of ${names.join(', ')}`);
    },
    names(name, allowed, fallback) {
      const value = absent(name) ? fallback : config[name];
      const list = typeof value === 'string' ? value.split('|').map((text) => text.trim().toLowerCase()) : value;
      if (!Array.isArray(list)) return fail(name, `a list of ${allowed.join(', ')}`);
      return list.map(
        (item) => allowed.find((known) => known === item) ?? fail(name, `a list of ${allowed.join(', ')}`),
      );
    },
    fail,
  };
}

/** The error for a family we do not have. */
export function unknownModelType(modelType: unknown, known: readonly string[], file: string): FormatError {
  const got = JSON.stringify(modelType)?.slice(0, 80) ?? 'nothing';
  const message = `${file}: "model_type": expected one of ${known.join(', ')}, got ${got}.`;
  return new FormatError(message, { file, field: 'model_type' });
}

/** Labels of a classification head: `id2label`'s size, or `num_labels`, or 2, as transformers reads them. */
export function countLabels(config: Readonly<Record<string, unknown>>, reader: ConfigReader): number {
  const names = config.id2label;
  if (names && typeof names === 'object') {
    const count = Object.keys(names).length;
    return count >= 1 && count <= 10_000 ? count : reader.fail('id2label', 'from 1 to 10,000 labels');
  }
  return reader.integer('num_labels', { min: 1, max: 10_000 }, 2);
}

/** `pad_token_id`: `fallback` where it is not stated, `null` where it is stated as null. */
export function paddingId(
  config: Readonly<Record<string, unknown>>,
  reader: ConfigReader,
  vocabSize: number,
  fallback = 0,
): number | null {
  return config.pad_token_id === null ? null : reader.integer('pad_token_id', { min: 0, max: vocabSize - 1 }, fallback);
}
