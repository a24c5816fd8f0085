/** The labels of a classification head in config.json: `id2label`, `label2id`, `num_labels`. */
import { ConfigError } from 'onnx-grad';
import { isObject, type JsonObject } from '../files/json.ts';

/** How many classes a new head has, or their names in order. */
export type Labels = number | readonly string[];

/** Names as config.json has them; LABEL_0, LABEL_1, … where it has none, as transformers calls them. */
export function readLabelNames(config: JsonObject, count: number): string[] {
  const names = isObject(config.id2label) ? config.id2label : {};
  return Array.from({ length: count }, (_, id) => {
    const name = names[id];
    return typeof name === 'string' ? name : `LABEL_${id}`;
  });
}

/** The config with these labels in place of its own. @throws ConfigError for no labels, or a name given twice */
export function withLabels(config: JsonObject, labels: Labels): JsonObject {
  const names = typeof labels === 'number' ? readLabelNames(config, labels) : labels;
  if (!(names.length >= 1)) throw new ConfigError(`labels: expected at least one, got ${JSON.stringify(labels)}.`);
  if (new Set(names).size !== names.length) throw new ConfigError(`labels: a name comes twice in ${names.join(', ')}.`);
  const { num_labels: _, ...rest } = config; // id2label tells it; transformers refuses two answers
  return {
    ...rest,
    id2label: Object.fromEntries(names.map((name, id) => [String(id), name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  };
}
