/** Hazard categories: names that a second, optional head of a classifier tells apart, in config.json's `category_names`. */
import { ConfigError, FormatError } from 'onnx-grad';

const MOST_CATEGORIES = 1000;

/** The names in the order of the head's logits; none where the model has no such head. */
export function readCategoryNames(json: Readonly<Record<string, unknown>>, file?: string): readonly string[] {
  const names = json.category_names ?? [];
  const isRight =
    Array.isArray(names) &&
    names.length <= MOST_CATEGORIES &&
    names.every((name) => typeof name === 'string') &&
    new Set(names).size === names.length;
  if (isRight) return names as string[];
  const where = file === undefined ? '' : `${file}: `;
  throw new FormatError(`${where}"category_names": expected at most ${MOST_CATEGORIES} different texts.`, {
    ...(file === undefined ? {} : { file }),
    field: 'category_names',
  });
}

/** The config with a head for these categories. @throws ConfigError for fewer than two, or a name given twice */
export function withCategories<Json extends Readonly<Record<string, unknown>>>(json: Json, names: readonly string[]) {
  if (names.length < 2) throw new ConfigError(`categories: expected at least two, got ${names.length}.`);
  if (new Set(names).size !== names.length) throw new ConfigError('categories: a name comes twice.');
  return { ...json, category_names: [...names] };
}
