/** The stretches of a text that say something by themselves: its sentences, and what is of another script. */
import type { Tokenizer } from '@harmaug/models';
import { cutWindows, type Window } from '../windows.ts';
import { CODE, scriptChanges } from './scripts.ts';

type Tokenize = Tokenizer['tokenize'];

const SENTENCE_END = /(?<=[.!?…]["'”’)]?\s|[。！？｡؟।\n])/u;
const LEAST_CHARACTERS = 24; // of a sentence that stands alone: "Yes." goes with the next
/** A Chinese character says as much as three letters. */
const DENSE = /[\u3041-\u9fff\uac00-\ud7af]/g;

interface Part {
  readonly begin: number;
  readonly end: number;
  /** Whether the next is of another script. */
  readonly isApart: boolean;
}

/**
 * Every sentence by itself, in windows where it has more tokens than `budget`: in order, the whole text. A short one goes
 * with the next of its script, which then stands alone as well.
 */
export function cutSentences(tokenize: Tokenize, text: string, budget: number): Window[] {
  const windows: Window[] = [];
  const add = (begin: number, end: number): void => {
    for (const window of cutWindows(tokenize, text.slice(begin, end), budget)) {
      windows.push({ begin: begin + window.begin, end: begin + window.end, ids: window.ids });
    }
  };
  let begin = 0;
  for (const part of partsOf(text)) {
    const { end, isApart } = part;
    if (isShort(text.slice(begin, end)) && !isApart && end < text.length) continue;
    add(begin, end);
    if (begin < part.begin && !isShort(text.slice(part.begin, end))) add(part.begin, end);
    begin = end;
  }
  return windows;
}

function partsOf(text: string): Part[] {
  const changes = new Set(scriptChanges(text));
  let at = 0;
  const ends = text.split(SENTENCE_END).map((sentence) => {
    at += sentence.length;
    return at;
  });
  const codeEnds = Array.from(text.matchAll(CODE), ({ index, 0: word }) => index + word.length);
  const all = [...new Set([...ends, ...changes, ...codeEnds])].sort((a, b) => a - b);
  return all.map((end, index) => ({ begin: all[index - 1] ?? 0, end, isApart: changes.has(end) }));
}

function isShort(part: string): boolean {
  if (part.length >= LEAST_CHARACTERS) return false;
  return part.length + 2 * (part.match(DENSE)?.length ?? 0) < LEAST_CHARACTERS;
}

/** Where something else may begin inside a sentence: a capital letter in its midst, and after a sign. */
const INNER_BEGIN = /(?<=[\s\p{Ll}\p{N}])(?!I\b)\p{Lu}|(?<=[,;:(—–“"]\s?)[\p{L}\p{N}]/gu;
/** Where it may end. */
const INNER_END = /(?<=\p{L}[,;:)—–”"!?]+)(?=[\s\p{L}])/gu;
const MOST_INNER = 8; // stretches of a sentence that are looked at
const LEAST_INNER = 12; // characters of them
const NEIGHBOURS = 2; // sentences before and behind that it may belong with

/**
 * What a closer look at one of `cutSentences`' windows reads: stretches of it that may have been put into it, and it
 * together with those beside it.
 */
export function lookCloser(
  tokenize: Tokenize,
  text: string,
  windows: readonly Window[],
  index: number,
  budget: number,
): Window[] {
  const { begin, end } = windows[index]!;
  const inner = innerPlaces(text.slice(begin, end)).map(([from, to]) => [begin + from, begin + to] as const);
  const around = Array.from({ length: NEIGHBOURS + 1 }, (_, before) => before).flatMap((before) =>
    Array.from({ length: NEIGHBOURS + 1 - before }, (_, behind) => {
      const first = windows[Math.max(0, index - before)]!;
      const last = windows[Math.min(windows.length - 1, index + behind)]!;
      return [first.begin, last.end] as const;
    }),
  );
  const places = new Map([...inner, ...around].map((place) => [place.join(), place]));
  places.delete([begin, end].join());
  return [...places.values()].flatMap(([from, to]) => {
    const ids = tokenize(text.slice(from, to));
    return ids.length > 0 && ids.length <= budget ? [{ begin: from, end: to, ids }] : [];
  });
}

function innerPlaces(sentence: string): (readonly [number, number])[] {
  const begins = [0, ...Array.from(sentence.matchAll(INNER_BEGIN), ({ index }) => index)];
  const ends = [...Array.from(sentence.matchAll(INNER_END), ({ index }) => index), sentence.length];
  const places = begins.flatMap((begin) => [
    [begin, sentence.length] as const,
    ...ends.flatMap((end) => (end - begin >= LEAST_INNER ? [[begin, end] as const] : [])).slice(0, 1),
  ]);
  return places.filter(([begin, end]) => end - begin >= LEAST_INNER).slice(0, MOST_INNER);
}
