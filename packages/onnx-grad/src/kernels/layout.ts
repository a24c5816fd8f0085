import { ConfigError } from '../errors.ts';

/** Which memory an array goes to, and where in it: arithmetic only, nothing is allocated here. */

/** Arrays that one kernel reads together, and which therefore must lie in one memory. Lengths in elements. */
export interface ArrayGroup {
  readonly lengths: readonly number[];
}

/** The place of one array. */
export interface Slot {
  readonly memory: number;
  readonly offsetBytes: number;
  readonly length: number;
}

export interface MemoryLayout {
  /** Bytes needed in each memory, a multiple of the alignment. */
  readonly memoryBytes: readonly number[];
  /** By group, then by array, as asked for. */
  readonly slots: readonly (readonly Slot[])[];
}

export const ALIGNMENT_BYTES = 64; // a cache line, so that threads never write to the same one
export const PAGE_BYTES = 65_536; // WebAssembly specification
export const MAX_MEMORY_BYTES = 65_536 * PAGE_BYTES; // 4 GiB, all that a 32-bit pointer reaches

/**
 * Places each group in the first memory with room for it, opening another where there is none.
 * @param limitBytes size of one memory
 * @throws ConfigError when one group is larger than a memory, or a length is not a whole number
 */
export function layOutMemories(groups: readonly ArrayGroup[], limitBytes = MAX_MEMORY_BYTES): MemoryLayout {
  const memoryBytes: number[] = [];
  const slots = groups.map(({ lengths }) => {
    const sizes = lengths.map(alignedBytes);
    const groupBytes = sizes.reduce((sum, size) => sum + size, 0);
    if (groupBytes > limitBytes) {
      throw new ConfigError(
        `Arrays that are used together take ${groupBytes} bytes and one WebAssembly memory holds ${limitBytes}. ` +
          'Split the parameter, or use fewer arrays per group.',
      );
    }
    const found = memoryBytes.findIndex((used) => used + groupBytes <= limitBytes);
    const memory = found < 0 ? memoryBytes.push(0) - 1 : found;
    let offsetBytes = memoryBytes[memory]!;
    memoryBytes[memory] = offsetBytes + groupBytes;
    return lengths.map((length, index) => {
      const slot = { memory, offsetBytes, length };
      offsetBytes += sizes[index]!;
      return slot;
    });
  });
  return { memoryBytes, slots };
}

function alignedBytes(length: number): number {
  if (!Number.isSafeInteger(length) || length < 0) throw new ConfigError(`An array cannot have ${length} elements.`);
  return Math.ceil((length * 4) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
