/** Texts from lines such as "hide (notes|a phone) in {hiding}": `{name}` is one line of a list, `(a|b)` one of the parts. */
import { ConfigError } from 'onnx-grad';

export type Uniform = () => number;
export type Lists = Readonly<Record<string, readonly string[]>>;

const HOLE = /\{(\w+)\}|\(([^()]*\|[^()]*)\)/;

/** One text of a line. What is put in may have holes itself. @throws ConfigError for a list that is not there */
export function expand(line: string, lists: Lists, uniform: Uniform): string {
  let text = line;
  for (let hole = HOLE.exec(text); hole !== null; hole = HOLE.exec(text)) {
    const [whole, name, parts] = hole;
    const choices = name === undefined ? parts!.split('|') : lists[name];
    if (choices === undefined) throw new ConfigError(`"${line}": there is no list "${name}".`);
    text = text.slice(0, hole.index) + pick(choices, uniform) + text.slice(hole.index + whole.length);
  }
  return tidy(text);
}

export function pick<Item>(items: readonly Item[], uniform: Uniform): Item {
  return items[Math.floor(uniform() * items.length)]!;
}

/** "a exam" -> "an exam"; no double spaces; a capital at the beginning where a hole stood there is the caller's. */
function tidy(text: string): string {
  return text
    .replace(/\b([Aa]) (?=[aeioAEIO]|un(?!i))(?!one\b)/g, '$1n ')
    .replace(/\s+/g, ' ')
    .trim();
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
