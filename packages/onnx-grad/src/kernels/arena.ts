import { ConfigError } from '../errors.ts';
import { type ArrayGroup, layOutMemories, MAX_MEMORY_BYTES, PAGE_BYTES } from './layout.ts';

/** One float32 array in shared WebAssembly memory. onnxruntime reads and writes `data` in place. */
export interface Buffer32 {
  /** Which memory of the arena. */
  readonly memory: number;
  /** Byte offset in that memory: the pointer that kernels take. */
  readonly offset: number;
  /** Elements. */
  readonly length: number;
  readonly data: Float32Array<SharedArrayBuffer>;
}

/** Opens shared memories and hands out arrays in them. What is handed out stays until the arena itself is dropped. */
export class Arena {
  readonly memories: WebAssembly.Memory[] = [];
  readonly #limitBytes: number;
  readonly #opened: (memory: WebAssembly.Memory) => void;

  /**
   * @param limitBytes size of one memory, at most 4 GiB
   * @param opened told of each memory before arrays in it are handed out
   */
  constructor(limitBytes = MAX_MEMORY_BYTES, opened: (memory: WebAssembly.Memory) => void = () => {}) {
    if (!(limitBytes >= PAGE_BYTES && limitBytes <= MAX_MEMORY_BYTES)) {
      throw new ConfigError(`A memory of ${limitBytes} bytes, expected ${PAGE_BYTES} to ${MAX_MEMORY_BYTES}.`);
    }
    this.#limitBytes = limitBytes;
    this.#opened = opened;
  }

  /**
   * New arrays of zeros, 64-byte aligned; those of a group lie in one memory. Memories are opened at the size needed
   * and never grow, so ask for arrays of one lifetime in one call.
   * @throws ConfigError when a group is larger than a memory, or the system has no memory left
   */
  allocate(groups: readonly ArrayGroup[]): Buffer32[][] {
    const { memoryBytes, slots } = layOutMemories(groups, this.#limitBytes);
    const first = this.memories.length;
    for (const memory of memoryBytes.map(openMemory)) {
      this.memories.push(memory);
      this.#opened(memory);
    }
    return slots.map((group) =>
      group.map(({ memory, offsetBytes, length }) => {
        const buffer = this.memories[first + memory]!.buffer as unknown as SharedArrayBuffer; // `shared: true` below
        return {
          memory: first + memory,
          offset: offsetBytes,
          length,
          data: new Float32Array(buffer, offsetBytes, length),
        };
      }),
    );
  }

  /** Whether an array, or a part of one given as `{ ...buffer, length }`, lies in a memory of this arena. */
  holds({ memory, offset, length, data }: Buffer32): boolean {
    const buffer = this.memories[memory]?.buffer as unknown;
    return data.buffer === buffer && offset % 16 === 0 && offset + length * 4 <= data.buffer.byteLength;
  }
}

function openMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new ConfigError(`No memory of ${pages * PAGE_BYTES} bytes could be opened.`, { cause });
  }
}
