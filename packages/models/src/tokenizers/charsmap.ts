import { FormatError } from 'onnx-grad';

/**
 * SentencePiece's precompiled character map: u32 trie size, a Darts double array over UTF-8 keys, then the replacements,
 * each ended by a zero byte. A key's value is where its replacement begins.
 *
 * Source: sentencepiece 0.2.3, normalizer.cc `DecodePrecompiledCharsMap`, darts.h `DoubleArrayUnit` and `validate`.
 */
export interface Charsmap {
  readonly units: Uint32Array;
  readonly replacements: Uint8Array;
}

/** A rule that applies: how many bytes it eats, where its replacement begins. */
export interface CharsmapMatch {
  length: number;
  begin: number;
}

const MAX_REPLACEMENT_BYTES = 1024; // ours: the longest in nmt_nfkc has 33 (U+FDFA)
const MAX_KEY_BYTES = 256; // ours: keeps a crooked trie from walking the whole text at every position

const labelOf = (unit: number) => unit & 0x800000ff; // of a leaf: negative
const hasLeaf = (unit: number) => (unit & 0x100) !== 0;
const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);

/**
 * Takes a map apart and checks that following it can never leave it.
 * @throws FormatError
 */
export function parseCharsmap(blob: Uint8Array, file: string, field: string): Charsmap {
  const fail = (problem: string) => new FormatError(`${file}: ${field} ${problem}`, { file, field });
  if (blob.byteLength < 4) throw fail('is too short for a precompiled character map.');
  const trieBytes = new DataView(blob.buffer, blob.byteOffset).getUint32(0, true);
  if (trieBytes < 1024 || trieBytes % 1024 !== 0 || 4 + trieBytes >= blob.byteLength) {
    throw fail(`has a trie of ${trieBytes} bytes, expected a multiple of 1024 within its ${blob.byteLength} bytes.`);
  }
  // copies: aligned to four bytes, and right for a Node Buffer, whose slice() would be a view
  const units = new Uint32Array(new Uint8Array(blob.subarray(4, 4 + trieBytes)).buffer);
  const replacements = new Uint8Array(blob.subarray(4 + trieBytes));
  if (replacements.at(-1) !== 0) throw fail('must end with a zero byte.');
  for (let i = 0, begin = 0; i < replacements.length; i++) {
    if (replacements[i] === 0) begin = i + 1;
    else if (i - begin >= MAX_REPLACEMENT_BYTES)
      throw fail(`replaces a character by over ${MAX_REPLACEMENT_BYTES} bytes.`);
  }
  if (!isSound(units, replacements.length)) throw fail('has a trie that points outside itself.');
  return { units, replacements };
}

/** Every unit a search can step on leads to units inside the array; every value lies inside the replacements. */
function isSound(units: Uint32Array, replacementBytes: number): boolean {
  const root = units[0]!;
  if (labelOf(root) !== 0 || hasLeaf(root) || offsetOf(root) === 0) return false;
  for (let i = 0; i < units.length; i++) {
    const unit = units[i]!;
    if (labelOf(unit) < 0) {
      if ((unit & 0x7fffffff) >= replacementBytes) return false;
      continue;
    }
    const children = i ^ offsetOf(unit);
    if (children < 0 || (children | 0xff) >= units.length) return false;
    if (hasLeaf(unit) && labelOf(units[children]!) >= 0) return false;
  }
  return true;
}

/**
 * The rule for the bytes at `from`, if there is one.
 * @param which 'longest' key, as SentencePiece does, or 'shortest', as the tokenizers library does
 * @returns whether one applies; `match` is filled in
 */
export function findRule(
  map: Charsmap,
  bytes: Uint8Array,
  from: number,
  to: number,
  which: 'longest' | 'shortest',
  match: CharsmapMatch,
): boolean {
  const units = map.units;
  const stop = Math.min(to, from + MAX_KEY_BYTES);
  let position = offsetOf(units[0]!);
  match.length = 0;
  for (let i = from; i < stop; i++) {
    const byte = bytes[i]!;
    if (byte === 0) break; // the builders treat a zero byte as the end of the key
    position ^= byte;
    const unit = units[position]!;
    if (labelOf(unit) !== byte) break;
    position ^= offsetOf(unit);
    if (!hasLeaf(unit)) continue;
    match.length = i + 1 - from;
    match.begin = units[position]! & 0x7fffffff;
    if (which === 'shortest') break;
  }
  return match.length > 0;
}
