/** JSON from servers. Python writes NaN and Infinity where JSON has no word for them; both are read as null. */

/**
 * @returns the value, or `undefined` where the text is not JSON. The parser's own error is dropped: it quotes the text.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/NaN|Infinity/.test(text)) return undefined;
  }
  try {
    return JSON.parse(replaceNonFinite(text));
  } catch {
    return undefined;
  }
}

/** Strings stay as they are; outside them NaN, Infinity and -Infinity become null. */
function replaceNonFinite(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs, (part) => (part.startsWith('"') ? part : 'null'));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
