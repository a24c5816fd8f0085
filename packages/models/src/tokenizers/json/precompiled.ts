import { type Charsmap, type CharsmapMatch, findRule } from '../charsmap.ts';

/**
 * The "Precompiled" normalizer, which is not SentencePiece's: it goes by grapheme clusters. A cluster under six bytes is
 * looked up whole, and the rule of its *shortest* prefix replaces all of it; otherwise each character is looked up.
 * Strange, but the models converted to tokenizer.json are run with it.
 *
 * Source: tokenizers 0.23, normalizers/precompiled.rs; spm_precompiled 0.1.4, `transform`
 */
export function createPrecompiled(map: Charsmap): (text: string) => string {
  const match: CharsmapMatch = { length: 0, begin: 0 };
  const bytes = new Uint8Array(16);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

  /** What replaces a short string, undefined when no rule applies. */
  function lookUp(part: string): string | undefined {
    const { written } = encoder.encodeInto(part, bytes);
    if (!findRule(map, bytes, 0, written, 'shortest', match)) return undefined;
    const end = map.replacements.indexOf(0, match.begin);
    return decoder.decode(map.replacements.subarray(match.begin, end));
  }

  function normalizeCluster(cluster: string): string {
    if (utf8Length(cluster) < 6) {
      const whole = lookUp(cluster);
      if (whole !== undefined) return whole;
    }
    let result = '';
    for (const char of cluster) result += lookUp(char) ?? char;
    return result;
  }

  const cache = new Map<string, string>(); // of single characters: most text is made of few
  return (text) => {
    let result = '';
    const isPlain = /^\p{ASCII}*$/u.test(text) && !text.includes('\r'); // every character is a cluster
    for (const cluster of isPlain ? text : clustersOf(text)) {
      if (cluster.length > 1) {
        result += normalizeCluster(cluster);
        continue;
      }
      let known = cache.get(cluster);
      if (known === undefined) {
        known = normalizeCluster(cluster);
        cache.set(cluster, known);
      }
      result += known;
    }
    return result;
  };

  function* clustersOf(text: string): Iterable<string> {
    for (const { segment } of graphemes.segment(text)) yield segment;
  }
}

/** Bytes of a string in UTF-8, exact up to six. */
function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length && length < 6; i++) {
    const unit = text.charCodeAt(i);
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3; // a surrogate is half of four
  }
  return length;
}
