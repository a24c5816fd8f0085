import type { ByteTrie } from './byte-trie.ts';

/**
 * The unigram language model: of all ways to cut a text into pieces, the one with the highest sum of scores.
 * One pass over the UTF-8 bytes; each position looks at most as far ahead as the longest piece, so time is linear.
 *
 * Source: sentencepiece 0.2.3, unigram_model.cc, `EncodeOptimized`; tokenizers 0.23, unigram/model.rs, which follows it
 * with 64-bit sums. Of equal sums the one found first stays, whose last piece begins earlier, as in both.
 */
export interface UnigramModel {
  readonly trie: ByteTrie;
  /** Log probability by id. */
  readonly scores: Float64Array;
  readonly unkId: number;
  /** Score of one character that no piece covers. */
  readonly unkScore: number;
  /** Id of each byte's piece, or -1; undefined where the model has no byte fallback. */
  readonly byteIds: Int32Array | undefined;
  /** Sums are rounded to this width; rounding decides ties, so it must be the reference's. */
  readonly sums: 'float32' | 'float64';
}

export type UnigramEncoder = (bytes: Uint8Array, length: number, output: number[]) => void;

const UNREACHED = -1;
const RESET_ABOVE = 100_000; // unigram_model.cc, kScoreResetThreshold: keeps 32-bit sums precise in long texts

/**
 * An encoder with buffers of its own, reused from text to text.
 * @returns a function that appends the ids of the first `length` bytes, valid UTF-8, to `output`
 */
export function createUnigramEncoder(model: UnigramModel): UnigramEncoder {
  const { trie, scores, unkId, unkScore } = model;
  const isSingle = model.sums === 'float32';
  const newSums = (size: number) => (isSingle ? new Float32Array(size) : new Float64Array(size));
  let [sums, starts, ids] = [newSums(0), new Int32Array(0), new Int32Array(0)]; // best path that ends at each byte

  function reserve(size: number): void {
    if (size <= starts.length) return;
    const capacity = Math.max(size, 2 * starts.length, 1024);
    [sums, starts, ids] = [newSums(capacity), new Int32Array(capacity), new Int32Array(capacity)];
  }

  function offer(end: number, sum: number, start: number, id: number): void {
    if (starts[end] !== UNREACHED && !(sum > sums[end]!)) return;
    sums[end] = sum;
    starts[end] = start;
    ids[end] = id;
  }

  return (bytes, length, output) => {
    reserve(length + 1);
    starts.fill(UNREACHED, 0, length + 1);
    sums[0] = 0;
    let frontier = 0; // last position reached so far
    for (let start = 0; start < length; ) {
      if (isSingle && Math.abs(sums[start]!) > RESET_ABOVE) {
        const offset = sums[start]!;
        for (let i = start; i <= frontier; i++) sums[i]! -= offset;
      }
      const sum = sums[start]!;
      const charEnd = Math.min(start + charLength(bytes[start]!), length);
      let isCharKnown = false;
      let node = 0;
      for (let end = start; end < length; ) {
        node = trie.step(node, bytes[end]!);
        if (node < 0) break;
        end++;
        const id = trie.ids[node]!;
        if (id < 0) continue;
        const total = sum + scores[id]!;
        offer(end, isSingle ? Math.fround(total) : total, start, id);
        if (end > frontier) frontier = end;
        if (end === charEnd) isCharKnown = true;
      }
      if (!isCharKnown) {
        const total = sum + unkScore;
        offer(charEnd, isSingle ? Math.fround(total) : total, start, unkId);
        if (charEnd > frontier) frontier = charEnd;
      }
      start = charEnd;
    }
    readBack(bytes, length, output);
  };

  /** Walks the best path from its end. Unknown characters become their bytes, or one id for a run of them. */
  function readBack(bytes: Uint8Array, length: number, output: number[]): void {
    const path: number[] = [];
    for (let end = length; end > 0; ) {
      let start = starts[end]!;
      if (ids[end] !== unkId) {
        path.push(ids[end]!);
      } else {
        while (start > 0 && ids[start] === unkId) start = starts[start]!;
        pushUnknown(bytes, start, end, path);
      }
      end = start;
    }
    for (let i = path.length - 1; i >= 0; i--) output.push(path[i]!);
  }

  function pushUnknown(bytes: Uint8Array, start: number, end: number, path: number[]): void {
    const byteIds = model.byteIds;
    const begin = path.length;
    if (byteIds !== undefined) for (let i = end - 1; i >= start; i--) path.push(byteIds[bytes[i]!]!);
    if (byteIds !== undefined && !path.includes(-1, begin)) return;
    path.length = begin;
    path.push(unkId);
  }
}

/** Bytes of the UTF-8 character that begins with this byte. Source: sentencepiece, util.h, `OneCharLen`. */
function charLength(firstByte: number): number {
  return firstByte < 0xc0 ? 1 : firstByte < 0xe0 ? 2 : firstByte < 0xf0 ? 3 : 4;
}
