import { FormatError } from 'onnx-grad';

/** JSON from outside: objects only, valid UTF-8, and no key written twice (JSON.parse would silently keep the last). */

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name from outside, safe to print: quoted, and cut when it is long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

/**
 * Parses bytes that must hold one JSON object.
 * @param file name for the error message
 * @throws FormatError when the bytes are not UTF-8, not JSON, not an object, or repeat a key within one object
 */
export function parseJsonObject(bytes: Uint8Array, file: string, field?: string): JsonObject {
  const what = field === undefined ? file : `${file}: ${field}`;
  const place = field === undefined ? { file } : { file, field };
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${what} is not valid JSON in UTF-8. The file may be damaged or cut off.`, {
      ...place,
      cause,
    });
  }
  if (!isObject(value)) throw new FormatError(`${what} must be a JSON object, {…}.`, place);
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined)
    throw new FormatError(`${what} has the key ${quote(repeated)} twice in one object.`, place);
  return value;
}

/**
 * First key that one object of a JSON text holds twice, however it is escaped.
 * @param text valid JSON: JSON.parse has accepted it
 */
export function findRepeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // one entry per nesting level: the keys seen, undefined in arrays
  let isKeyNext = false;
  for (let i = 0; i < text.length; ) {
    const char = text[i]!;
    if (char === '"') {
      const literal = text.slice(i, endOfString(text, i));
      const keys = open.at(-1);
      if (isKeyNext && keys !== undefined) {
        const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
        if (keys.has(key)) return key;
        keys.add(key);
        isKeyNext = false;
      }
      i += literal.length;
      continue;
    }
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    if (char === '{' || char === ',') isKeyNext = open.at(-1) !== undefined;
    i++;
  }
  return undefined;
}

/** Position after the string literal that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let quoteAt = text.indexOf('"', start + 1); ; quoteAt = text.indexOf('"', quoteAt + 1)) {
    let backslashes = 0;
    while (text[quoteAt - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quoteAt + 1;
  }
}
