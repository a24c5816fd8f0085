/** What a decoder of disguised text gives. */

export interface Stretch {
  /** Decoded. */
  readonly text: string;
  /** UTF-16 offsets of what was decoded. */
  readonly begin: number;
  readonly end: number;
}

/** `null` for a text that does not look so. It must look quickly: every text of every request is asked. */
export type Decode = (text: string) => Stretch | null;

/** All stretches of one kind as one text, so that words encoded one by one are read together. */
export function join(stretches: readonly Stretch[], between = '\n'): Stretch | null {
  if (stretches.length === 0) return null;
  const text = stretches.map((stretch) => stretch.text).join(between);
  return { text, begin: stretches[0]!.begin, end: stretches.at(-1)!.end };
}

/** Matches that `decode` makes something of. */
export function decodeMatches(text: string, pattern: RegExp, decode: (match: string) => string | null): Stretch[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const decoded = decode(match[0]);
    return decoded === null ? [] : [{ text: decoded, begin: match.index, end: match.index + match[0].length }];
  });
}

/** Bytes as text, where they are text: UTF-8, printable, mostly letters. */
export function textOfBytes(bytes: Uint8Array): string | null {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell bytes from text
  if (/[\x00-\x08\x0e-\x1f\x7f]/.test(text)) return null;
  const letters = text.match(/[\p{L}\p{M}\s]/gu)?.length ?? 0;
  return letters >= 0.6 * [...text].length ? text : null;
}
