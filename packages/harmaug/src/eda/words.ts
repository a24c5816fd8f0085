/** A text as words that can be taken out, moved and replaced, each with what clings to it. */

/** `("Rude!"` is `("`, `Rude`, `!"`. A word without letters has no core. */
export interface WordParts {
  readonly before: string;
  /** `null` where there is nothing to look up. */
  readonly core: string | null;
  readonly after: string;
}

const PARTS = /^([^\p{L}]*)(\p{L}+(?:['’-]\p{L}+)*)([^\p{L}]*)$/u;

export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

export function partsOf(word: string): WordParts {
  const [, before = '', core, after = ''] = PARTS.exec(word) ?? [];
  return core === undefined ? { before: word, core: null, after: '' } : { before, core, after };
}

/** Another word in its place: what clings to the first stays, and so does a capital at its start. */
export function replaceCore({ before, core, after }: WordParts, replacement: string): string {
  const isCapital = core !== null && /^\p{Lu}/u.test(core);
  return `${before}${isCapital ? replacement.charAt(0).toUpperCase() + replacement.slice(1) : replacement}${after}`;
}
