/** What a model reads, as stretches of text: ours, in which control tokens count, and data, in which nothing does. */

export interface Segment {
  readonly text: string;
  /** Somebody else's words. A tokenizer must never read a control token in them. */
  readonly isData: boolean;
}

export type Prompt = readonly Segment[];

/** The whole text. */
export function textOf(prompt: Prompt): string {
  return prompt.map((segment) => segment.text).join('');
}

/**
 * A prompt written in place: the literal is ours, what is put in is data.
 * @example
 * write`Human user:\n${text}\n`
 */
export function write(literal: TemplateStringsArray, ...data: readonly string[]): Prompt {
  return joinSegments(
    literal.flatMap((text, index) => [
      { text, isData: false },
      { text: data[index] ?? '', isData: true },
    ]),
  );
}

/** Neighbours of one kind become one segment; empty ones go. */
export function joinSegments(segments: readonly Segment[]): Prompt {
  const joined: { text: string; isData: boolean }[] = [];
  for (const { text, isData } of segments) {
    if (text === '') continue;
    const last = joined.at(-1);
    if (last?.isData === isData) last.text += text;
    else joined.push({ text, isData });
  }
  return joined;
}

/**
 * Replaces what our own text has between two markers; a marker inside data is data.
 * @returns `undefined` where the markers are not there
 */
export function replaceBetween(prompt: Prompt, begin: string, end: string, text: string): Prompt | undefined {
  for (const [index, segment] of prompt.entries()) {
    if (segment.isData) continue;
    const from = segment.text.indexOf(begin);
    const to = from < 0 ? -1 : segment.text.indexOf(end, from + begin.length);
    if (to < 0) continue;
    const changed = segment.text.slice(0, from + begin.length) + text + segment.text.slice(to);
    return prompt.with(index, { text: changed, isData: false });
  }
  return undefined;
}
