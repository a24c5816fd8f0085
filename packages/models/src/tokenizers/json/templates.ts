import { isObject, type JsonObject, quote } from '../../files/json.ts';
import { readId } from '../added-tokens.ts';
import type { Template, TemplateItem } from '../tokenizer.ts';
import { build, type ComponentPlace, componentList, fieldError } from './components.ts';

/**
 * The "post_processor" of a tokenizer.json: which special tokens stand around one text and around two.
 *
 * Source: tokenizers 0.23, src/processors
 */

const first: TemplateItem = { sequence: 'first', typeId: 0 };
const bare: Template = { single: [first], pair: [first, { sequence: 'second', typeId: 1 }] };

const processors: { readonly [type: string]: (config: JsonObject, place: ComponentPlace) => Template } = {
  TemplateProcessing: readTemplates,
  BertProcessing: (config, place) => {
    const [cls, sep] = [readToken(config.cls, 'cls', place), readToken(config.sep, 'sep', place)];
    const single = [at(cls, 0), first, at(sep, 0)];
    return { single, pair: [...single, { sequence: 'second', typeId: 1 }, at(sep, 1)] };
  },
  RobertaProcessing: (config, place) => {
    const [cls, sep] = [readToken(config.cls, 'cls', place), readToken(config.sep, 'sep', place)];
    const single = [at(cls, 0), first, at(sep, 0)];
    return { single, pair: [...single, at(sep, 0), { sequence: 'second', typeId: 0 }, at(sep, 0)] };
  },
  ByteLevel: () => bare, // says where tokens begin and end in the text
  Sequence: (config, place) => {
    const templates = componentList(config, 'processors', place)
      .map(([value, here]) => createTemplate(value, here))
      .filter((template) => template !== bare);
    if (templates.length > 1) throw fieldError(place, 'processors', 'must be one processor.');
    return templates[0] ?? bare;
  },
};

/** @throws FormatError naming the field */
export function createTemplate(value: unknown, place: ComponentPlace): Template {
  return value === null || value === undefined ? bare : build(processors, value, place);
}

function at(id: number, typeId: number): TemplateItem {
  return { id, typeId };
}

/** `["[CLS]", 101]` */
function readToken(value: unknown, key: string, place: ComponentPlace): number {
  return readId(Array.isArray(value) ? value[1] : undefined, place.file, `${place.field}.${key}`);
}

function readTemplates(config: JsonObject, place: ComponentPlace): Template {
  const ids = new Map<string, number[]>();
  const tokens = isObject(config.special_tokens) ? config.special_tokens : {};
  for (const [name, token] of Object.entries(tokens)) {
    const list: unknown = isObject(token) ? token.ids : undefined;
    const field = `${place.field}.special_tokens[${quote(name)}].ids`;
    ids.set(name, Array.isArray(list) ? list.slice(0, 64).map((id) => readId(id, place.file, field)) : []);
  }
  return { single: readItems(config, 'single', ids, place), pair: readItems(config, 'pair', ids, place) };
}

function readItems(
  config: JsonObject,
  key: 'single' | 'pair',
  ids: ReadonlyMap<string, number[]>,
  place: ComponentPlace,
): TemplateItem[] {
  const list = config[key];
  if (!Array.isArray(list) || list.length > 64) throw fieldError(place, key, 'must be a list of at most 64 items.');
  const items = list.flatMap((item: unknown, i): TemplateItem[] => {
    const special = isObject(item) && isObject(item.SpecialToken) ? item.SpecialToken : undefined;
    const sequence = isObject(item) && isObject(item.Sequence) ? item.Sequence : undefined;
    const typeId = (special ?? sequence)?.type_id ?? 0;
    if (typeId !== 0 && typeId !== 1) throw fieldError(place, `${key}[${i}].type_id`, 'must be 0 or 1.');
    const known = special === undefined ? undefined : ids.get(String(special.id));
    if (known !== undefined) return known.map((id) => at(id, typeId));
    if (sequence?.id === 'A' || sequence?.id === 'B') {
      return [{ sequence: sequence.id === 'A' ? 'first' : 'second', typeId }];
    }
    throw fieldError(place, `${key}[${i}]`, 'must be a Sequence A or B, or a SpecialToken listed in special_tokens.');
  });
  const sequences = items.flatMap((item) => ('sequence' in item ? [item.sequence] : [])).join();
  const expected = key === 'single' ? 'first' : 'first,second';
  if (sequences !== expected) throw fieldError(place, key, 'must hold each text once, in order.');
  return items;
}
