/** Keys of rows and calls: hashes of what they depend on. */
import { createHash } from 'node:crypto';

const KEY_CHARACTERS = 32; // 128 bits in hex: among a billion keys two are equal once in 10^20 runs

/** @param parts in a fixed order; objects with their fields in a fixed order too */
export function hashKey(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, KEY_CHARACTERS);
}

/** A seed for a call's sampling, from 0 to 2^31 - 1, which every server takes: another for each key. */
export function seedOf(key: string): number {
  return Number.parseInt(key.slice(0, 8), 16) >>> 1;
}

/** Which shard of n a key belongs to, from 0; independent of its seed. */
export function shardOf(key: string, count: number): number {
  return Number.parseInt(key.slice(8, 20), 16) % count;
}
