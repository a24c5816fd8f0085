/** The overlapping pieces of a text, as hashes: two texts are as alike as their sets of pieces (Jaccard). */
import { hashText, mix } from './hash.ts';
import { wordsOf } from './words.ts';

export interface ShingleOptions {
  readonly unit: 'characters' | 'words';
  /** Units of a piece. */
  readonly size: number;
}

/** Different hashes, in rising order. A text shorter than a piece is one piece; a text without words has none. */
export function shinglesOf(text: string, { unit, size }: ShingleOptions): Uint32Array {
  const words = wordsOf(text);
  if (words.length === 0) return new Uint32Array(0);
  const hashes = unit === 'words' ? ofWords(words, size) : ofCharacters(words.join(' '), size);
  return distinct(hashes.sort());
}

function ofCharacters(text: string, size: number): Uint32Array {
  const count = Math.max(1, text.length - size + 1);
  const hashes = new Uint32Array(count);
  for (let at = 0; at < count; at++) hashes[at] = hashText(text, at, Math.min(text.length, at + size));
  return hashes;
}

function ofWords(words: readonly string[], size: number): Uint32Array {
  const each = words.map((word) => hashText(word));
  const count = Math.max(1, words.length - size + 1);
  const hashes = new Uint32Array(count);
  for (let at = 0; at < count; at++) {
    let h = 0;
    for (let next = at; next < Math.min(words.length, at + size); next++) h = mix(Math.imul(h, 31) + each[next]!);
    hashes[at] = h;
  }
  return hashes;
}

function distinct(sorted: Uint32Array): Uint32Array {
  let count = 1;
  for (let at = 1; at < sorted.length; at++) {
    if (sorted[at] !== sorted[at - 1]) sorted[count++] = sorted[at]!;
  }
  return sorted.slice(0, count);
}

/** Size of the intersection over that of the union; both in rising order. Two empty sets are not alike. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [i, j, both] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) both += 1;
    if (difference <= 0) i += 1;
    if (difference >= 0) j += 1;
  }
  const either = a.length + b.length - both;
  return either === 0 ? 0 : both / either;
}

/**
 * Whether the Jaccard similarity of two sets, their intersection over their union, is at least this. Ends as soon as it cannot
 * be any more. Two empty sets are not alike.
 */
export function isNear(a: Uint32Array, b: Uint32Array, threshold: number): boolean {
  // |a ∩ b| / (|a| + |b| - |a ∩ b|) >= t
  const needed = Math.ceil((threshold * (a.length + b.length)) / (1 + threshold) - 1e-9);
  if (needed === 0) return false;
  let mayMissA = a.length - needed;
  let mayMissB = b.length - needed;
  let [i, j] = [0, 0];
  while (mayMissA >= 0 && mayMissB >= 0) {
    if (i === a.length || j === b.length) return true;
    const difference = a[i]! - b[j]!;
    if (difference < 0) mayMissA -= 1;
    if (difference > 0) mayMissB -= 1;
    if (difference <= 0) i += 1;
    if (difference >= 0) j += 1;
  }
  return false;
}
