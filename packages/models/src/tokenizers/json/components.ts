import { FormatError } from 'onnx-grad';
import { isObject, type JsonObject, quote } from '../../files/json.ts';

/** Reading the components of a tokenizer.json: objects whose "type" picks a row of a table. */

/** Where a component stands: `tokenizer.json`, `normalizer.normalizers[1]`. */
export interface ComponentPlace {
  readonly file: string;
  readonly field: string;
}

type Builder<T> = (config: JsonObject, place: ComponentPlace) => T;

const MAX_NESTING = 8;
const MAX_STEPS = 64;

/**
 * Builds the component that `value` describes.
 * @throws FormatError listing the supported types
 */
export function build<T>(builders: { readonly [type: string]: Builder<T> }, value: unknown, place: ComponentPlace): T {
  const type = isObject(value) ? value.type : undefined;
  if (!isObject(value) || typeof type !== 'string') {
    throw new FormatError(`${place.file}: ${place.field} must be an object with a "type".`, { ...place });
  }
  const builder = Object.hasOwn(builders, type) ? builders[type] : undefined;
  if (builder === undefined) {
    const supported = Object.keys(builders).join(', ');
    throw new FormatError(`${place.file}: ${place.field}.type is ${quote(type)}. Supported: ${supported}.`, {
      ...place,
    });
  }
  return builder(value, place);
}

/** The members of a "Sequence", each with its place. */
export function componentList(config: JsonObject, key: string, place: ComponentPlace): [unknown, ComponentPlace][] {
  const list = config[key];
  const depth = place.field.split('[').length;
  if (!Array.isArray(list) || list.length > MAX_STEPS || depth > MAX_NESTING) {
    throw fieldError(place, key, `must be a list of at most ${MAX_STEPS}, nested at most ${MAX_NESTING} deep.`);
  }
  return list.map((value, i) => [value, { file: place.file, field: `${place.field}.${key}[${i}]` }]);
}

export function fieldError(
  { file, field }: ComponentPlace,
  key: string,
  problem: string,
  cause?: unknown,
): FormatError {
  return new FormatError(`${file}: ${field}.${key} ${problem}`, { file, field: `${field}.${key}`, cause });
}
