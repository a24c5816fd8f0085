/**
 * Byte-pair encoding: a word's characters, joined pair by pair, always the pair whose merge was learned first, the leftmost
 * of equal ones. A queue of the pairs makes that n log n in the word's length.
 *
 * Source: Sennrich et al. 2016, arXiv:1508.07909; tokenizers 0.23, models/bpe/word.rs `merge_all`
 */
export interface BpeModel {
  /** Ids of single characters. */
  readonly symbols: ReadonlyMap<string, number>;
  /** `pairKey` of two ids -> rank of their merge. */
  readonly ranks: ReadonlyMap<number, number>;
  /** Rank -> id of what they become. */
  readonly merged: readonly number[];
  /** Whole words that are taken as they are, before any merging; empty where a model does not do so. */
  readonly words: ReadonlyMap<string, number>;
  /** For characters without an id; undefined leaves them out. */
  readonly unkId: number | undefined;
  /** Whether a run of unknown characters is one. */
  readonly fusesUnknown: boolean;
  /** Ids of the 256 bytes, -1 for none, which spell a character without an id; undefined where the model has no such. */
  readonly byteIds?: Int32Array | undefined;
}

/** Two ids below 2^24 as one number. */
export function pairKey(left: number, right: number): number {
  return left * 2 ** 24 + right;
}

const MAX_CACHED_WORDS = 10_000;
const MAX_CACHED_LENGTH = 64; // characters; longer words are rarely seen again

/** @returns a function that appends the ids of a word */
export function createBpeEncoder(model: BpeModel): (word: string, ids: number[]) => void {
  const known = new Map<string, readonly number[]>();
  return (word, ids) => {
    let found = known.get(word);
    if (found === undefined) {
      const whole = model.words.get(word);
      found = whole === undefined ? merge(symbolsOf(word, model), model) : [whole];
      if (known.size >= MAX_CACHED_WORDS) known.clear();
      if (word.length <= MAX_CACHED_LENGTH) known.set(word, found);
    }
    for (const id of found) ids.push(id);
  };
}

const encoder = new TextEncoder();

function symbolsOf(word: string, { symbols, unkId, fusesUnknown, byteIds }: BpeModel): number[] {
  const ids: number[] = [];
  let isAfterUnknown = false;
  for (const character of word) {
    const id = symbols.get(character);
    const spelled =
      id === undefined && byteIds ? Array.from(encoder.encode(character), (byte) => byteIds[byte]!) : [-1];
    if (id !== undefined) ids.push(id);
    else if (!spelled.includes(-1)) {
      ids.push(...spelled);
      continue; // and does not part unknown characters, as in the reference
    } else if (unkId !== undefined && !(fusesUnknown && isAfterUnknown)) ids.push(unkId);
    isAfterUnknown = id === undefined;
  }
  return ids;
}

const NONE = -1;

/** Symbols are a linked list by their first position; merging two takes the right one out. */
function merge(ids: number[], { ranks, merged }: BpeModel): number[] {
  const size = ids.length;
  const next = Int32Array.from(ids, (_, at) => (at + 1 < size ? at + 1 : NONE));
  const previous = Int32Array.from(ids, (_, at) => at - 1);
  const rankAt = (at: number): number | undefined => {
    if (at < 0 || ids[at] === NONE || next[at] === NONE) return undefined;
    return ranks.get(pairKey(ids[at]!, ids[next[at]!]!));
  };
  const queue: number[] = []; // a heap of rank * size + position
  const offer = (at: number) => {
    const rank = rankAt(at);
    if (rank !== undefined) push(queue, rank * size + at);
  };
  for (let at = 0; at < size - 1; at++) offer(at);
  while (queue.length > 0) {
    const entry = pop(queue);
    const at = entry % size;
    const rank = Math.floor(entry / size);
    if (rankAt(at) !== rank) continue; // one of the two has since been merged with another
    const right = next[at]!;
    ids[at] = merged[rank]!;
    ids[right] = NONE;
    next[at] = next[right]!;
    if (next[at] !== NONE) previous[next[at]!] = at;
    offer(previous[at]!);
    offer(at);
  }
  return ids.filter((id) => id !== NONE);
}

/** Puts a number into a binary heap whose smallest is first. */
function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Takes the smallest out. */
function pop(heap: number[]): number {
  const smallest = heap[0]!;
  const value = heap.pop()!;
  if (heap.length === 0) return smallest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
  return smallest;
}
