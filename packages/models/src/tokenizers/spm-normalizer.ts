import type { ByteTrie } from './byte-trie.ts';
import { type CharsmapMatch, findRule } from './charsmap.ts';
import type { SpmNormalizerSpec } from './spm-model.ts';
import type { ByteBuffer } from './utf8.ts';

/**
 * SentencePiece's normalizer: characters by the precompiled map, runs of spaces to one, spaces to U+2581, and a space
 * symbol in front. Works from UTF-8 bytes to UTF-8 bytes in one pass.
 *
 * Source: sentencepiece 0.2.3, normalizer.cc, `Normalizer::Normalize` and `NormalizePrefix`.
 */

const SPACE = 0x20;
const SPACE_SYMBOL = [0xe2, 0x96, 0x81] as const; // U+2581 LOWER ONE EIGHTH BLOCK

/** What the next characters of the input become: `length` input bytes, and the bytes that take their place. */
interface Replacement extends CharsmapMatch {
  source: Uint8Array;
  end: number;
}

/**
 * @param userDefined pieces that pass unchanged
 * @returns a function that replaces the contents of `output`
 */
export function createSpmNormalizer(
  spec: SpmNormalizerSpec,
  userDefined: ByteTrie | undefined,
): (input: ByteBuffer, output: ByteBuffer) => void {
  const { charsmap, addDummyPrefix, removeExtraWhitespaces: removesExtra, treatWhitespaceAsSuffix: isSuffix } = spec;
  const symbol: readonly number[] = spec.escapeWhitespaces ? SPACE_SYMBOL : [SPACE];
  const next: Replacement = { length: 0, begin: 0, end: 0, source: new Uint8Array() };

  function readNext(bytes: Uint8Array, from: number, to: number): void {
    const kept = userDefined === undefined ? 0 : longestKey(userDefined, bytes, from, to);
    if (kept === 0 && charsmap !== undefined && findRule(charsmap, bytes, from, to, 'longest', next)) {
      next.source = charsmap.replacements;
      next.end = charsmap.replacements.indexOf(0, next.begin);
      return;
    }
    const first = bytes[from]!;
    const charBytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; // the input is valid UTF-8
    next.length = kept || charBytes;
    next.source = bytes;
    next.begin = from;
    next.end = from + next.length;
  }

  return (input, output) => {
    const [bytes, to] = [input.bytes, input.length];
    output.length = 0;
    let from = 0;
    if (removesExtra) {
      while (from < to) {
        readNext(bytes, from, to);
        if (next.end - next.begin !== 1 || next.source[next.begin] !== SPACE) break;
        from += next.length;
      }
    }
    if (from === to) return;
    const pushSymbol = () => symbol.forEach((byte) => void output.push(byte));
    if (!isSuffix && addDummyPrefix) pushSymbol();
    let isAfterSpace = removesExtra;
    for (; from < to; from += next.length) {
      readNext(bytes, from, to);
      let i = next.begin;
      if (isAfterSpace) while (i < next.end && next.source[i] === SPACE) i++;
      if (i < next.end) isAfterSpace = removesExtra && next.source[next.end - 1] === SPACE;
      for (; i < next.end; i++) {
        const byte = next.source[i]!;
        if (byte === SPACE) pushSymbol();
        else output.push(byte);
      }
    }
    if (removesExtra) while (endsWith(output, symbol)) output.length -= symbol.length;
    if (isSuffix && addDummyPrefix) pushSymbol();
  };
}

function endsWith(buffer: ByteBuffer, suffix: readonly number[]): boolean {
  const begin = buffer.length - suffix.length;
  return begin >= 0 && suffix.every((byte, i) => buffer.bytes[begin + i] === byte);
}

function longestKey(trie: ByteTrie, bytes: Uint8Array, from: number, to: number): number {
  let longest = 0;
  for (let node = 0, i = from; i < to; ) {
    node = trie.step(node, bytes[i]!);
    if (node < 0) break;
    i++;
    if (trie.ids[node]! >= 0) longest = i - from;
  }
  return longest;
}
