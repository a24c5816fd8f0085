/** Hashes of 32 bits for tables in memory; on disk, results say by them which rows they are of. */

/** Last step of MurmurHash3: every bit of the input changes about half of the output's. */
export function mix(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** @param from, to characters of the text, `to` not included */
export function hashText(text: string, from = 0, to = text.length, seed = 0): number {
  let h = seed ^ 0x811c9dc5;
  for (let at = from; at < to; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193) ^ (h >>> 15);
  return mix(h ^ (to - from));
}
