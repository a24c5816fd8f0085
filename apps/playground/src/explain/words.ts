/** A text in words, each with the punctuation that clings to it. */

/** UTF-16 offsets; from one word's begin to the next one's lies the word and the space after it. */
export interface Stretch {
  readonly begin: number;
  readonly end: number;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** In order. Scripts without spaces are cut by the browser's dictionary. */
export function cutWords(text: string): Stretch[] {
  const words: { begin: number; end: number; isWord: boolean }[] = [];
  for (const { segment, index, isWordLike = false } of segmenter.segment(text)) {
    if (segment.trim() === '') continue;
    const last = words.at(-1);
    const end = index + segment.length;
    // a bracket or quote goes with the word after it, other marks with the word before them
    if (last && last.end === index && !(last.isWord && isWordLike)) {
      last.end = end;
      last.isWord ||= isWordLike;
    } else words.push({ begin: index, end, isWord: isWordLike });
  }
  return words.map(({ begin, end }) => ({ begin, end }));
}

/** Neighbours joined so evenly that there are at most `most`. */
export function joinWords(words: readonly Stretch[], most: number): Stretch[] {
  const size = Math.max(1, Math.ceil(words.length / most));
  const joined: Stretch[] = [];
  for (let first = 0; first < words.length; first += size) {
    const last = Math.min(first + size, words.length) - 1;
    joined.push({ begin: words[first]!.begin, end: words[last]!.end });
  }
  return joined;
}

/** The text without a stretch, and without one of the two spaces that would meet there. */
export function without(text: string, { begin, end }: Stretch): string {
  const [before, after] = [text.slice(0, begin), text.slice(end)];
  return after === '' ? before.trimEnd() : before + after.trimStart();
}
