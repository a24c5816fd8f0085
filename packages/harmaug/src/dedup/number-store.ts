/** Many short lists of numbers, one after the other in large blocks: no copying as they grow, no object a list. */

const BLOCK_NUMBERS = 2 ** 20; // 4 MiB

export class NumberStore {
  readonly #blocks: Uint32Array[] = [];
  /** Where list n ends; it begins where the one before ended, or with a block. */
  #starts = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #count = 0;
  #end = 0;

  get count(): number {
    return this.#count;
  }

  add(numbers: Uint32Array): void {
    const size = Math.max(BLOCK_NUMBERS, numbers.length);
    const last = this.#blocks.at(-1);
    if (last === undefined || this.#end + numbers.length > last.length) {
      this.#blocks.push(new Uint32Array(size));
      this.#end = 0;
    }
    if (this.#count === this.#lengths.length) this.#grow();
    this.#blocks.at(-1)!.set(numbers, this.#end);
    this.#starts[this.#count] = (this.#blocks.length - 1) * 2 ** 32 + this.#end;
    this.#lengths[this.#count] = numbers.length;
    this.#count += 1;
    this.#end += numbers.length;
  }

  /** List n, as a view. */
  at(n: number): Uint32Array {
    const start = this.#starts[n]!;
    const block = Math.floor(start / 2 ** 32);
    const offset = start - block * 2 ** 32;
    return this.#blocks[block]!.subarray(offset, offset + this.#lengths[n]!);
  }

  #grow(): void {
    const starts = new Float64Array(2 * this.#count);
    const lengths = new Uint32Array(2 * this.#count);
    starts.set(this.#starts);
    lengths.set(this.#lengths);
    this.#starts = starts;
    this.#lengths = lengths;
  }
}
